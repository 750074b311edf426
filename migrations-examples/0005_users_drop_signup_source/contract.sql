-- Behind the gate. A contract by hand has no hidden half: this is the point of no return.
ALTER TABLE users DROP COLUMN signup_source;
