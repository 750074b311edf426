--liquibase formatted sql

--changeset ada:1 labels:first
--comment a table of bridges
CREATE TABLE bridges (id int PRIMARY KEY, span numeric)
--rollback DROP TABLE bridges;

--changeset ada:2 endDelimiter:// splitStatements:true
ALTER TABLE bridges ADD COLUMN built date//
UPDATE bridges SET built = '1900-01-01' WHERE built IS NULL//
/* liquibase rollback
   ALTER TABLE bridges DROP COLUMN built;
*/
