{# The time that dbt writes into dbt_valid_from and dbt_valid_to: the first day of the period, not
   the time of the run. Five files that are loaded within a minute then get the times that they
   would have had in production. #}
{% macro duckdb__snapshot_get_time() -%}
    cast('{{ var("loaded_at", "1970-01-01") }}' as timestamp)
{%- endmacro %}
