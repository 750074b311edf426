CREATE TABLE users (
    id    bigint       NOT NULL PRIMARY KEY,
    email varchar(200) NOT NULL,
    name  varchar(200) NOT NULL
);
