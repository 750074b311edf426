-- What is there before each example of the rows: every table with enough rows that a pass over it shows in the server's counters.

-- A table that nothing else depends on.
CREATE TABLE t (
    id bigint PRIMARY KEY,
    a varchar(50),
    b text,
    c int NOT NULL,
    d int,
    n numeric(10,2),
    ts timestamptz,
    CONSTRAINT b_there CHECK (b IS NOT NULL),
    CONSTRAINT c_positive CHECK (c > 0) NOT VALID
);
CREATE INDEX t_a ON t (a);
CREATE UNIQUE INDEX t_c ON t (c);
INSERT INTO t SELECT g, 'a', 'b', g, g, 1, now() FROM generate_series(1, 20000) g;

-- Foreign keys: orders point at customers.
CREATE TABLE customers (id int PRIMARY KEY, code text UNIQUE, region int);
INSERT INTO customers SELECT g, g::text, g % 10 FROM generate_series(1, 20000) g;
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer_id int NOT NULL REFERENCES customers,
    code text,
    amount numeric(10,2)
);
INSERT INTO orders SELECT g, g, g::text, g FROM generate_series(1, 20000) g;
ALTER TABLE orders ADD CONSTRAINT orders_code FOREIGN KEY (code) REFERENCES customers (code) NOT VALID;

-- What fails where there are rows.
CREATE TABLE empty (id int PRIMARY KEY, a int);
