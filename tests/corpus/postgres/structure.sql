SET client_encoding = 'UTF8';
CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;
CREATE TYPE public.colour AS ENUM (
    'red',
    'green'
);
CREATE TABLE public.wagons (
    id bigint NOT NULL,
    colour public.colour DEFAULT 'red'::public.colour NOT NULL,
    CONSTRAINT check_colour CHECK ((colour IS NOT NULL))
)
WITH (fillfactor='80');
CREATE SEQUENCE public.wagons_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
ALTER SEQUENCE public.wagons_id_seq OWNED BY public.wagons.id;
ALTER TABLE ONLY public.wagons ALTER COLUMN id SET DEFAULT nextval('public.wagons_id_seq'::regclass);
CREATE UNIQUE INDEX index_wagons_on_colour ON public.wagons USING btree (colour) WHERE (colour <> 'green'::public.colour);
INSERT INTO "schema_migrations" (version) VALUES
('20200102030405'),
('20200102030406');
