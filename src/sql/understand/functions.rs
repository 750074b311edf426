//! The servers' own functions, of which scripts call some for what they give back: none of them changes a table.

use crate::model::name::TableName;
use crate::model::server::Engine;

/// PostgreSQL's: `pg_proc` of PostgreSQL 15 without what stands behind operators, types and indexes, and without those
/// that run a text as a query (`query_to_xml`); what is written like a function; and what 16 to 18 have added.
const POSTGRES: &str = "\
    (typeid -1, 1: 25, = abbrev abs acldefault aclexplode acos acosd acosh age amvalidate any_value area array \
    array_agg array_dims array_fill array_lower array_ndims array_position array_positions array_remove \
    array_replace array_reverse array_sample array_shuffle array_sort array_to_json array_to_string \
    array_to_tsvector array_upper ascii asin asind asinh atan atan2 atan2d atand atanh avg backend> bool_and \
    bool_or bound_box box byval cardinality casefold cast cbrt ceil ceiling center chr circle clock_timestamp \
    coalesce col_description concat concat_ws convert convert_from convert_to corr cos cosd cosh cot cotd count \
    covar_pop covar_samp crc32 crc32c cume_dist current_catalog current_database current_date current_query \
    current_role current_schema current_schemas current_setting current_user currval date_add date_bin date_part \
    date_subtract date_trunc datemultirange daterange decode degrees dense_rank diagonal diameter div encode \
    enum_first enum_last enum_range erf erfc error_on_null every exists exp extract f) factorial family \
    first_value floor format format_type gamma gcd gen_random_uuid generate_series generate_subscripts get_bit \
    get_byte get_current_ts_config getdatabaseencoding greatest grouping has_any_column_privilege \
    has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege has_function_privilege \
    has_language_privilege has_parameter_privilege has_schema_privilege has_sequence_privilege \
    has_server_privilege has_table_privilege has_tablespace_privilege has_type_privilege height host hostmask \
    in_range inet_client_addr inet_client_port inet_merge inet_same_family inet_server_addr inet_server_port \
    initcap is_normalized isclosed isempty isfinite ishorizontal isopen isparallel isperp isvertical json_agg \
    json_array json_array_elements json_array_elements_text json_array_length json_arrayagg json_build_array \
    json_build_object json_each json_each_text json_exists json_object json_object_agg json_object_keys \
    json_objectagg json_populate_record json_populate_recordset json_query json_scalar json_serialize \
    json_strip_nulls json_to_record json_to_recordset json_to_tsvector json_typeof json_value jsonb_agg \
    jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object \
    jsonb_each jsonb_each_text jsonb_insert jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists \
    jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz jsonb_path_query jsonb_path_query_array \
    jsonb_path_query_array_tz jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz \
    jsonb_populate_record jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls \
    jsonb_to_record jsonb_to_recordset jsonb_to_tsvector jsonb_typeof justify_days justify_hours \
    justify_interval lag last_value lastval lcm lead least left len length lgamma like line localtime log log10 \
    lower lower_inc lower_inf lpad lseg ltrim make_date make_interval make_time make_timestamp make_timestamptz \
    makeaclitem masklen max md5 min min_scale mod mode multirange mxid_age netmask network nextval normalize \
    notlike now npoints nth_value ntile nullif num_nonnulls num_nulls nummultirange numnode numrange \
    obj_description octet_length overlaps overlay parse_ident pclose percent_rank percentile_cont \
    percentile_disc phraseto_tsquery plainto_tsquery point polygon popen position pow power querytree \
    quote_ident quote_literal quote_nullable radians radius random random_normal range_agg range_intersect_agg \
    range_merge rank regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace \
    regexp_split_to_array regexp_split_to_table regexp_substr regr_avgx regr_avgy regr_count regr_intercept \
    regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat replace reverse right round row row_number \
    row_security_active row_to_json rpad rtrim scale session_user set_bit set_byte set_config set_masklen \
    setseed setval setweight sha224 sha256 sha384 sha512 shobj_description sign similar_escape similar_to_escape \
    sin sind sinh slope split_part sqrt statement_timestamp stddev stddev_pop stddev_samp string_agg \
    string_to_array string_to_table strip strpos substr substring sum tan tand tanh text timeofday timestamp \
    timestamptz timezone to_ascii to_bin to_char to_date to_hex to_json to_jsonb to_number to_oct to_regclass \
    to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype \
    to_timestamp to_tsquery to_tsvector transaction_timestamp translate trim trim_array trim_scale trunc \
    ts_debug ts_delete ts_filter ts_headline ts_lexize ts_parse ts_rank ts_rank_cd ts_token_type tsmultirange \
    tsquery_phrase tsrange tstzmultirange tstzrange txid_current txid_current_if_assigned txid_current_snapshot \
    txid_snapshot_xip txid_snapshot_xmax txid_snapshot_xmin txid_status txid_visible_in_snapshot typmod unistr \
    unnest upper upper_inc upper_inf uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 var_pop var_samp \
    variance version websearch_to_tsquery width width_bucket xml_is_well_formed xml_is_well_formed_content \
    xml_is_well_formed_document xmlagg xmlcomment xmlconcat2 xmlelement xmlexists xmlforest xmlparse xmlpi \
    xmlroot xmlserialize xmlvalidate xpath xpath_exists";

/// Those of MySQL and MariaDB: `information_schema.SQL_FUNCTIONS` of MariaDB 10.11, and of MySQL's manual what is not
/// among them.
const MYSQL: &str = "\
    abs acos add_months adddate addtime aes_decrypt aes_encrypt any_value ascii asin atan atan2 avg benchmark \
    bin bin_to_uuid binlog_gtid_pos bit_and bit_count bit_length bit_or bit_xor bool cast ceil ceiling char \
    char_length character_length charset chr coalesce coercibility collation column_check column_exists \
    column_json column_list compress concat concat_ws connection_id conv convert convert_tz cos cot count crc32 \
    crc32c cume_dist curdate current_date current_role current_time current_timestamp current_user curtime \
    database date date_add date_format date_sub datediff day dayname dayofmonth dayofweek dayofyear decode \
    default degrees dense_rank des_decrypt des_encrypt elt encode encrypt exists exp export_set extract \
    extractvalue field find_in_set first_value floor format format_bytes format_pico_time found_rows from_base64 \
    from_days from_unixtime get_format get_lock greatest group_concat grouping hex hour icu_version if ifnull \
    inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr interval is_free_lock is_ipv4 is_ipv4_compat \
    is_ipv4_mapped is_ipv6 is_used_lock is_uuid isnull json_array json_array_append json_array_insert \
    json_arrayagg json_compact json_contains json_contains_path json_depth json_detailed json_equals json_exists \
    json_extract json_insert json_keys json_length json_loose json_merge json_merge_patch json_merge_preserve \
    json_normalize json_object json_objectagg json_overlaps json_pretty json_query json_quote json_remove \
    json_replace json_schema_valid json_schema_validation_report json_search json_set json_storage_free \
    json_storage_size json_type json_unquote json_valid json_value lag last_day last_insert_id lastval lcase \
    lead least left length lengthb ln load_file localtime localtimestamp locate log log10 log2 lower lpad ltrim \
    make_set makedate maketime master_gtid_wait master_pos_wait max md5 median microsecond mid min minute mod \
    month monthname name_const natural_sort_key nextval now nth_value ntile nullif nvl nvl2 oct octet_length ord \
    password percent_rank percentile_cont percentile_disc period_add period_diff pi position pow power \
    ps_current_thread_id ps_thread_id quarter quote radians rand random_bytes rank regexp_instr regexp_like \
    regexp_replace regexp_substr release_all_locks release_lock repeat replace reverse right roles_graphml round \
    row_count row_number rpad rtrim schema schemas sec_to_time second session_user setval sformat sha sha1 sha2 \
    sign sin sleep soundex space sqrt st_asgeojson st_astext st_distance_sphere st_geomfromtext statement_digest \
    statement_digest_text std stddev stddev_pop stddev_samp str_to_date strcmp subdate substr substring \
    substring_index subtime sum sys_guid sysdate system_user tan time time_format time_to_sec timediff timestamp \
    timestampadd timestampdiff to_base64 to_char to_days to_seconds trim truncate ucase uncompress \
    uncompressed_length unhex unix_timestamp updatexml upper user utc_date utc_time utc_timestamp uuid \
    uuid_short uuid_to_bin validate_password_strength values var_pop var_samp variance version week weekday \
    weekofyear year yearweek";

/// Whether a function changes no table, whatever it is called with.
pub(super) fn is_known_function(name: &TableName, engine: Engine) -> bool {
    let lower = name.name.to_ascii_lowercase();
    let is_listed = |list: &str| list.split(' ').any(|known| known == lower);
    match name.schema.as_deref() {
        Some(schema) => schema == "pg_catalog" && !lower.contains("_to_xml"),
        None if engine.is_mysql_family() => is_listed(MYSQL),
        // Those of the system and of large objects.
        None => lower.starts_with("pg_") || lower.starts_with("lo_") || is_listed(POSTGRES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_name_nothing_twice() {
        for list in [POSTGRES, MYSQL] {
            let words: Vec<_> = list.split(' ').collect();
            assert!(words.is_sorted_by(|a, b| a < b), "{words:?}");
        }
    }

    #[test]
    fn functions_that_run_a_text_or_are_nobodys_can_do_anything() {
        for (name, engine, known) in [
            ("CURTIME", Engine::MySql, true),
            ("jsonb_pretty", Engine::Postgres, true),
            ("pg_sleep", Engine::Postgres, true),
            ("query_to_xml", Engine::Postgres, false),
            ("dblink_exec", Engine::Postgres, false),
            ("jsonb_pretty", Engine::MariaDb, false),
        ] {
            assert_eq!(is_known_function(&TableName::bare(name), engine), known, "{name}");
        }
        assert!(!is_known_function(&TableName::in_schema("app", "lower"), Engine::Postgres));
    }
}
