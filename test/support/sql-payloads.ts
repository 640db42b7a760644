/**
 * Search texts that would read, change or drop data, or match every row, if they became part of an SQL statement. Written for
 * this project after the classes of published attacks: tautologies, unions, stacked statements, comments, blind and timed
 * queries, functions with side effects outside the database, wildcards, unusual encodings.
 */
export const sqlPayloads: readonly string[] = [
  // Tautologies
  "' OR '1'='1",
  "' OR 1=1 --",
  "' OR 1=1#",
  "' OR 1=1/*",
  '" OR ""="',
  "') OR ('1'='1",
  "')) OR 1=1 --",
  "' OR 'x' LIKE 'x",
  "' OR instr(folded, '') > -1 --",
  "' OR id IS NOT NULL --",
  "x' OR NOT 1=2 --",
  "1' || '1' = '1' || '1",
  "'='",
  "' IS NOT 'x",
  '1 OR 1=1',

  // Unions
  "' UNION SELECT 1, name, sql, 1, NULL, 1 FROM sqlite_master --",
  "%' UNION SELECT 1, sql, 1, 1, 1, 1 FROM sqlite_master --",
  "' UNION ALL SELECT id, room, user, text, html, at FROM messages --",
  "') > 0 UNION SELECT 1, 'a', 'b', sqlite_version(), NULL, 1 --",
  "') UNION VALUES (1, 'r', 'u', 'union-row', NULL, 1) --",
  "' INTERSECT SELECT * FROM messages --",
  "' EXCEPT SELECT 1 --",

  // Stacked statements
  "'; DROP TABLE messages; --",
  "'); DROP TABLE messages; --",
  "') > 0; DELETE FROM messages; --",
  "'; UPDATE messages SET user = 'root'; --",
  "'; INSERT INTO messages (room, user, text) VALUES ('vault', 'root', 'inserted-row'); --",
  "'; ATTACH DATABASE '/tmp/other.db' AS other; --",
  "'; PRAGMA writable_schema = 1; --",
  "'; VACUUM INTO '/tmp/copy.db'; --",
  "'; CREATE TRIGGER t AFTER INSERT ON messages BEGIN DELETE FROM messages; END; --",
  "';;;; --",

  // Blind and timed queries
  "' AND 1=(SELECT COUNT(*) FROM sqlite_master) --",
  "' AND substr((SELECT text FROM messages LIMIT 1),1,1)='a' --",
  "' AND 1=CASE WHEN 1=1 THEN 1 ELSE abs(-9223372036854775808) END --",
  "' AND 1=randomblob(500000000) --",
  "' AND (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r) SELECT n FROM r) --",
  "' AND like('%','x') --",
  "' || (SELECT text FROM messages LIMIT 1) || '",
  "' AND SLEEP(5) --",
  "'; WAITFOR DELAY '0:0:5' --",
  "' AND pg_sleep(5) --",

  // Functions with side effects outside the database
  "' AND load_extension('evil') --",
  "' AND readfile('/etc/passwd') --",
  "' AND writefile('/tmp/x', 'y') --",
  "'; EXEC xp_cmdshell('id') --",

  // Wildcards and patterns
  '%',
  '_',
  '%%%%',
  '[a-z]',
  '*',
  '?',
  '\\%',
  "%' ESCAPE '\\",

  // Quotes, comments and encodings
  "'",
  "''",
  '"',
  '`',
  "\\'",
  "\\'; --",
  '--',
  '/*',
  '*/',
  '/**/OR/**/1=1',
  "/*!50000' OR 1=1 */",
  '%27%20OR%201=1',
  '\u02bc OR 1=1 --',
  '\uff07 OR 1=1 --',
  "\u0000' OR 1=1 --",
  "'\u0000",
  'char(39) || char(39)',
  "x'27204f5220313d31'",
  '?1',
  ':query',
  '@p1',
  '$1',
  '{{7*7}}',
  '#{7*7}',
];
