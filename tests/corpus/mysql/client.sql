use shop
source base.sql
--no space behind the dashes: it's a comment to the tool
ALTER TABLE orders MODIFY note VARCHAR(128) BINARY NOT NULL DEFAULT '' AFTER id, ADD INDEX (made), ALGORITHM=INPLACE, LOCK=NONE;
SELECT COUNT(*) FROM orders\G
delimiter //
CREATE FUNCTION one() RETURNS int DETERMINISTIC RETURN 1//
delimiter ;
SELECT id FROM orders LIMIT 1 INTO @first;
ALTER TABLE "ansi" ADD COLUMN a int;
RENAME TABLE orders TO old_orders, new_orders TO orders;
