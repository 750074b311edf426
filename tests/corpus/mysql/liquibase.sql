--liquibase formatted sql
--changeset bob:1
CREATE TABLE shelves (id int primary key);
--rollback drop table shelves;
--changeset bob:2 endDelimiter:$$
CREATE TRIGGER shelf BEFORE INSERT ON shelves FOR EACH ROW BEGIN SET NEW.id = 1; END$$
--rollback drop trigger shelf;
