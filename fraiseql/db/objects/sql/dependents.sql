-- What has to go before objects can, and can be made again afterwards: in the order in which it is made.
-- in   classes oid[], objects oid[]: catalog and row of each object
-- out  class oid, object oid; the objects given are not among them
-- Of what else depends on them (defaults, constraints, columns of their row type) nothing comes: DROP tells.
WITH RECURSIVE given AS (
    SELECT class, object FROM unnest(%s::oid[], %s::oid[]) AS given (class, object)
), found (class, object, depth) AS (
    SELECT class, object, 0 FROM given
     UNION
    SELECT next.class, next.object, found.depth + 1
      FROM found
     CROSS JOIN LATERAL (
           SELECT found.class, found.object
            UNION ALL
           SELECT 'pg_type'::regclass, t.oid
             FROM pg_class c
             JOIN pg_type t ON t.oid = c.reltype OR t.typelem = c.reltype AND t.typcategory = 'A'
            WHERE c.oid = found.object AND found.class = 'pg_class'::regclass AND c.reltype <> 0
           ) AS referred (class, object)
      JOIN pg_depend d ON d.refclassid = referred.class AND d.refobjid = referred.object
                      AND d.deptype IN ('n', 'a')
      LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
      LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid AND NOT t.tgisinternal
     CROSS JOIN LATERAL (
           SELECT 'pg_class'::regclass, r.ev_class WHERE r.rulename = '_RETURN'
            UNION ALL
           SELECT 'pg_rewrite'::regclass, r.oid WHERE r.rulename <> '_RETURN'
            UNION ALL
           SELECT 'pg_trigger'::regclass, t.oid WHERE t.oid IS NOT NULL
            UNION ALL
           SELECT d.classid, d.objid WHERE d.classid IN ('pg_proc'::regclass, 'pg_policy'::regclass)
           ) AS next (class, object)
     WHERE (next.class, next.object) <> (found.class, found.object)
)
SELECT class::oid, object
  FROM found
 WHERE (class, object) NOT IN (SELECT class, object FROM given)
 GROUP BY class, object
 ORDER BY max(depth), class, object
