CREATE TABLE ${schema}.depots (
    id    uuid PRIMARY KEY,
    town  text NOT NULL DEFAULT '${default_town}'
);
GRANT SELECT ON ${schema}.depots TO ${reader};
CREATE INDEX depots_${suffix}_town ON ${schema}.depots (town);
