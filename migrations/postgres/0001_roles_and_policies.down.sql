DROP TABLE policies;

DROP TABLE roles;
