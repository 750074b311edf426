-- +goose Up
CREATE TABLE members (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(64) BINARY NOT NULL);
-- +goose StatementBegin
CREATE PROCEDURE greet()
BEGIN
  SELECT 'hello';
  SELECT 'again';
END;
-- +goose StatementEnd

-- +goose Down
DROP PROCEDURE greet;
DROP TABLE members;
