-- The table that the other examples change.
CREATE TABLE users (
    id            bigint AUTO_INCREMENT PRIMARY KEY,
    name          varchar(100) NOT NULL,
    email         varchar(255) NOT NULL,
    signup_source varchar(20)  NOT NULL,
    created_at    datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
);
