-- Größe
ALTER TABLE größen
	ADD COLUMN "Länge" text, DROP breite;
DROP TABLE "ähnlich", b;
