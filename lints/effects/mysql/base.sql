-- What is there before each example of the rows beside this file.

-- What others refer to.
CREATE TABLE u (id int NOT NULL, v int, w int, PRIMARY KEY (id), UNIQUE KEY v (v), KEY w (w)) DEFAULT CHARSET=utf8mb4;

-- An ordinary table.
CREATE TABLE t (
    id bigint NOT NULL,
    a varchar(10),
    b varchar(50),
    c int NOT NULL,
    d int,
    e enum('x','y'),
    s set('x','y'),
    g text,
    h char(10),
    l varchar(20) CHARACTER SET latin1,
    m varchar(20) CHARACTER SET utf8mb3,
    mk varchar(20) CHARACTER SET utf8mb3,
    n decimal(10,2),
    o varchar(300),
    q float,
    ts timestamp NULL,
    dt datetime,
    tm time,
    r int unsigned,
    si smallint,
    bi binary(10),
    vb varbinary(50),
    nn varchar(20) NOT NULL DEFAULT 'x',
    df int DEFAULT 1,
    cm int COMMENT 'x',
    PRIMARY KEY (id), KEY i (c), KEY k (d), KEY kab (a, b), KEY kmk (mk), UNIQUE KEY uq (r), CONSTRAINT pos CHECK (df > 0)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

-- Refers to another.
CREATE TABLE child (id int NOT NULL, uid int, x int, PRIMARY KEY (id), KEY uid (uid), CONSTRAINT fk FOREIGN KEY (uid) REFERENCES u (id))
    DEFAULT CHARSET=utf8mb4;

-- Has a FULLTEXT index.
CREATE TABLE ft (id int NOT NULL, a text, b text, c int NOT NULL, PRIMARY KEY (id), FULLTEXT KEY fa (a)) DEFAULT CHARSET=utf8mb4;

-- Compressed.
CREATE TABLE cmp (id int NOT NULL, a varchar(10), c int NOT NULL, PRIMARY KEY (id), KEY i (c)) ROW_FORMAT=COMPRESSED DEFAULT CHARSET=utf8mb4;

-- Of other row formats.
CREATE TABLE red (id int NOT NULL, a varchar(10), b varchar(50), c int NOT NULL, d int, PRIMARY KEY (id)) ROW_FORMAT=REDUNDANT DEFAULT CHARSET=utf8mb4;

-- Partitioned.
CREATE TABLE pr (id int NOT NULL, a varchar(10), c int NOT NULL, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4
    PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (200), PARTITION p2 VALUES LESS THAN (300));
CREATE TABLE pm (id int NOT NULL, a varchar(10), c int NOT NULL, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4
    PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION pmax VALUES LESS THAN MAXVALUE);
CREATE TABLE pl (id int NOT NULL, a varchar(10), c int NOT NULL, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4
    PARTITION BY LIST (id) (PARTITION p0 VALUES IN (1, 2, 3), PARTITION p1 VALUES IN (4, 5, 6));
CREATE TABLE ph (id int NOT NULL, a varchar(10), c int NOT NULL, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4
    PARTITION BY HASH (id) PARTITIONS 4;
CREATE TABLE pk (id int NOT NULL, a varchar(10), c int NOT NULL, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4
    PARTITION BY KEY (id) PARTITIONS 4;
CREATE TABLE px (id int NOT NULL, a varchar(10), c int NOT NULL, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4;

-- Has a trigger.
CREATE TABLE tr (id int NOT NULL, a varchar(10), c int NOT NULL, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4;
CREATE TRIGGER tr_bi BEFORE INSERT ON tr FOR EACH ROW SET NEW.a = 'x';

-- Has generated columns.
CREATE TABLE gen (
    id int NOT NULL,
    c int NOT NULL,
    d int,
    vg int GENERATED ALWAYS AS (c + 1) VIRTUAL,
    PRIMARY KEY (id), KEY d (d)
) DEFAULT CHARSET=utf8mb4;
CREATE TABLE sto (
    id int NOT NULL,
    c int NOT NULL,
    d int,
    sg int GENERATED ALWAYS AS (c + 2) STORED,
    PRIMARY KEY (id)
) DEFAULT CHARSET=utf8mb4;
CREATE TABLE vix (id int NOT NULL, c int NOT NULL, d int, vg int GENERATED ALWAYS AS (c + 1) VIRTUAL, PRIMARY KEY (id), KEY vg (vg))
    DEFAULT CHARSET=utf8mb4;

-- Kept by another engine.
CREATE TABLE my (id int NOT NULL, a varchar(10), c int NOT NULL, d int, PRIMARY KEY (id), KEY i (c)) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4;

-- Has places.
CREATE TABLE geo (id int NOT NULL, p point NOT NULL, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4;
CREATE TABLE spa (id int NOT NULL, p point NOT NULL, c int, PRIMARY KEY (id), SPATIAL KEY sp (p)) DEFAULT CHARSET=utf8mb4;

-- Has documents.
CREATE TABLE doc (id int NOT NULL, j json, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4;

-- Has no primary key.
CREATE TABLE nopk (id int NOT NULL, a varchar(10), c int) DEFAULT CHARSET=utf8mb4;

-- Counts.
CREATE TABLE cnt (id int NOT NULL AUTO_INCREMENT, a varchar(10), PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4;

-- Of other character sets.
CREATE TABLE l1 (id int NOT NULL, a varchar(10), b int, PRIMARY KEY (id)) DEFAULT CHARSET=latin1;
CREATE TABLE m3 (id int NOT NULL, a varchar(10), b text, PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb3;
CREATE TABLE m3k (id int NOT NULL, a varchar(10), PRIMARY KEY (id), KEY a (a)) DEFAULT CHARSET=utf8mb3;
CREATE TABLE ints (id int NOT NULL, a int, PRIMARY KEY (id)) DEFAULT CHARSET=latin1;

-- A view.
CREATE VIEW vw AS SELECT id, c FROM px;

INSERT INTO u VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO t (id, a, c, r) VALUES (1, 'x', 1, 1), (2, 'y', 2, 2);
INSERT INTO child VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO ft VALUES (1, 'x', 'y', 1);
INSERT INTO cmp VALUES (1, 'x', 1);
INSERT INTO red VALUES (1, 'x', 'x', 1, 1);
INSERT INTO pr VALUES (1, 'x', 1), (101, 'x', 1);
INSERT INTO pm VALUES (1, 'x', 1), (101, 'x', 1);
INSERT INTO pl VALUES (1, 'x', 1), (4, 'x', 1);
INSERT INTO ph VALUES (1, 'x', 1), (2, 'x', 1);
INSERT INTO pk VALUES (1, 'x', 1), (2, 'x', 1);
INSERT INTO tr VALUES (1, 'x', 1);
INSERT INTO gen (id, c, d) VALUES (1, 1, 1);
INSERT INTO sto (id, c, d) VALUES (1, 1, 1);
INSERT INTO vix (id, c, d) VALUES (1, 1, 1);
INSERT INTO my VALUES (1, 'x', 1, 1);
INSERT INTO geo VALUES (1, ST_GeomFromText('POINT(1 1)'));
INSERT INTO spa VALUES (1, ST_GeomFromText('POINT(1 1)'), 1);
INSERT INTO doc VALUES (1, '{"a": [1]}');
INSERT INTO nopk VALUES (1, 'x', 1);
INSERT INTO cnt (a) VALUES ('x');
INSERT INTO l1 VALUES (1, 'x', 1);
INSERT INTO m3 VALUES (1, 'x', 'x');
INSERT INTO m3k VALUES (1, 'x');
INSERT INTO ints VALUES (1, 1);
