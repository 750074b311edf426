ALTER TABLE users ADD COLUMN email_domain varchar(255);
