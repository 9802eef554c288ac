DROP TABLE permissions;

DROP TABLE access;
