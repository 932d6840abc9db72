-- The pupils of one file: each file holds new pupils and some that are already known.
select
    uuid,
    class_year,
    consent,
    cast(sessions_attended as integer) as sessions_attended,
    cast(date_updated as date) as date_updated
from {{ source('school', 'dataset') }}
