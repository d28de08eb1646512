UPDATE desk_records SET communication = COALESCE((convert_from(detail, 'UTF8')::json ->> 'number')::bigint, 0)
    WHERE event IN ('replied', 'replied-for', 'opened-for');
UPDATE desk_records SET other_case = COALESCE(convert_from(detail, 'UTF8')::json ->> 'case', '')
    WHERE event IN ('linked', 'unlinked', 'merged', 'unmerged', 'merged-from', 'unmerged-from', 'merge-dissolved');
