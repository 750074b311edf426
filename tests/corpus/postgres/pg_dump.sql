SET statement_timeout = 0;
CREATE TABLE public.seats (
    id integer NOT NULL,
    label text
);
ALTER TABLE public.seats OWNER TO conductor;
COPY public.seats (id, label) FROM stdin;
1	it's; a seat
2	$$ -- /*
\.

SELECT pg_catalog.setval('public.seats_id_seq', 2, true);
ALTER TABLE ONLY public.seats
    ADD CONSTRAINT seats_pkey PRIMARY KEY (id);
