-- The English names of departments; empty: the Chinese one is shown.
ALTER TABLE programme ADD COLUMN department_en TEXT NOT NULL DEFAULT '';
ALTER TABLE announcement ADD COLUMN department_en TEXT NOT NULL DEFAULT '';
