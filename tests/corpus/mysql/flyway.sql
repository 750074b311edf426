-- flyway
CREATE TABLE ${prefix}carts (id int PRIMARY KEY, total float ZEROFILL) ENGINE=${engine} COMMENT="a cart";
SET @sql = IF((SELECT 1), 'ALTER TABLE carts ADD x int', 'SELECT 1');
PREPARE s FROM @sql;
DEALLOCATE PREPARE s;
