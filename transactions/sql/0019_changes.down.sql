DROP INDEX journal_origin_by_age;
