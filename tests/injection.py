"""Texts that attack: Cypher that does more than read, Cypher that costs too much, and values that want to be code.

In an attack `{url}` is an address that nobody may ask, `{file}` a file that nobody may read, and `~` a line break.
"""

from __future__ import annotations

WRITES = r"""
CREATE (n:Bank {id: 'x'})
CREATE (n:Bank {id: 'x'}) RETURN n
MATCH (n) DETACH DELETE n
MATCH (n) NODETACH DELETE n
MATCH ()-[r]->() DELETE r
MATCH (n) SET n.id = 'x'
match (n) set n:Fund return n
MATCH (n) SET n += {label: 'x'} RETURN n
MATCH (n) SET n = {} RETURN n
MATCH (n) SET n[$p] = 1 RETURN n
MATCH (n) SET n:$('Fund') RETURN n
MATCH (n) SET n:$($l) RETURN n
MATCH (n) REMOVE n.label RETURN n
MATCH (n) REMOVE n:Bank RETURN n
MERGE (n:Bank {id: 'x'}) RETURN n
MERGE (n:Bank {id: 'x'}) ON CREATE SET n.y = 1 RETURN n
MATCH (n) FOREACH (x IN [1] | SET n.a = x)
FOREACH (x IN [1] | CREATE (:Bank {id: 'x'}))
MATCH (n) CALL { CREATE (m) RETURN m } RETURN m
MATCH (n) CALL (n) { SET n.x = 1 } RETURN n
MATCH (n) CALL (*) { WITH n DELETE n } RETURN 1 AS one
MATCH (n) CALL (n) { SET n.x = 1 } IN TRANSACTIONS OF 10 ROWS RETURN 1 AS one
MATCH (n) CALL (n) { RETURN n.id AS i } IN 2 CONCURRENT TRANSACTIONS RETURN i
MATCH (n) CALL (n) { RETURN n.id AS i } IN TRANSACTIONS RETURN i
CALL { MATCH (n) DELETE n } IN TRANSACTIONS OF 1 ROW ON ERROR CONTINUE RETURN 1 AS one
MATCH (n) RETURN EXISTS { CREATE (m:Bank) } AS e
MATCH (n) RETURN COLLECT { CREATE (m:Bank) RETURN m } AS e
MATCH (n) RETURN COUNT { MERGE (m:Bank {id: 'x'}) } AS e
MATCH (n)/* c */CREATE(m) RETURN m
MATCH (n)~~CREATE~(m)~RETURN m
MATCH (n)	CREATE	(m) RETURN m
MATCH (n) WITH n CrEaTe (m) RETURN m
RETURN 1 AS a UNION CREATE (n) RETURN 1 AS a
UNWIND [1] AS x CREATE (n:Bank {id: toString(x)}) RETURN n
USING PERIODIC COMMIT LOAD CSV FROM '{url}' AS l CREATE (n {x: l[0]})
INSERT (n:Bank)
INSERT (n:Bank)-[:OWNS]->(m:Bank)
MATCH (n:Entity) SET n.id = n.id + 'x' FINISH
OPTIONAL MATCH (n) DELETE n
WITH 1 AS x CREATE (n) RETURN x
PROFILE CREATE (n:Bank {id: 'x'}) RETURN n
EXPLAIN CREATE (n:Bank {id: 'x'})
EXPLAIN MATCH (n) RETURN n
PROFILE MATCH (n) RETURN n
CYPHER runtime=slotted CREATE (n)
CYPHER 25 MATCH (n) SET n.x = 1
CYPHER planner=dp MATCH (n) RETURN n
WHEN true THEN CREATE (n:Bank {id: 'w'}) ELSE RETURN 1
MATCH (n) LET x = 1 INSERT (m) RETURN m
"""

SCHEMA_AND_SERVER = r"""
CREATE INDEX FOR (n:Bank) ON (n.x)
CREATE INDEX bad IF NOT EXISTS FOR (n:Bank) ON (n.x)
CREATE CONSTRAINT FOR (n:Bank) REQUIRE n.x IS UNIQUE
CREATE FULLTEXT INDEX t FOR (n:Name) ON EACH [n.text]
CREATE VECTOR INDEX v FOR (n:Embedding) ON n.vector
CREATE LOOKUP INDEX l FOR (n) ON EACH labels(n)
DROP CONSTRAINT entity_id
DROP INDEX name_text
DROP DATABASE neo4j IF EXISTS
CREATE DATABASE evil
CREATE OR REPLACE DATABASE neo4j
CREATE COMPOSITE DATABASE c
CREATE ALIAS a FOR DATABASE neo4j
ALTER DATABASE neo4j SET ACCESS READ ONLY
STOP DATABASE neo4j
START DATABASE neo4j
CREATE USER eve SET PASSWORD 'abcdefgh' CHANGE NOT REQUIRED
ALTER USER neo4j SET PASSWORD 'abcdefgh'
ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'abcdefgh'
RENAME USER neo4j TO eve
DROP USER neo4j
CREATE ROLE r
GRANT ROLE admin TO eve
GRANT ALL ON DBMS TO PUBLIC
DENY READ {*} ON GRAPH * TO reader
REVOKE ROLE admin FROM neo4j
SHOW USERS
SHOW CURRENT USER
SHOW ROLES
SHOW PRIVILEGES
SHOW DATABASES
SHOW DEFAULT DATABASE
SHOW SETTINGS
SHOW SETTING 'server.directories.import'
SHOW FUNCTIONS
SHOW PROCEDURES YIELD name RETURN name
SHOW INDEXES YIELD name
SHOW CONSTRAINTS
SHOW TRANSACTIONS
SHOW TRANSACTIONS YIELD currentQuery RETURN currentQuery
SHOW SERVERS
SHOW ALIASES FOR DATABASE
SHOW TRANSACTIONS YIELD transactionId AS t TERMINATE TRANSACTIONS t YIELD message RETURN message
TERMINATE TRANSACTIONS 'neo4j-transaction-1'
TERMINATE TRANSACTION $id
ENABLE SERVER 'x'
DEALLOCATE DATABASES FROM SERVER 'x'
DRYRUN REALLOCATE DATABASES
USE system MATCH (n) RETURN n
USE neo4j MATCH (n) RETURN n
USE graph.byName('system') MATCH (n) RETURN n
MATCH (n) CALL { USE system MATCH (u:User) RETURN u } RETURN u
BEGIN
COMMIT
ROLLBACK
SESSION SET VALUE $x = 1
SESSION RESET
:param x => 1
:use system
"""

FILES_AND_ADDRESSES = r"""
LOAD CSV FROM '{url}' AS l RETURN l
LOAD CSV WITH HEADERS FROM '{url}' AS l RETURN l
load~ csv WITH HEADERS FROM $u AS l RETURN l
LOAD/**/CSV FROM '{url}' AS l RETURN l
MATCH (n) LOAD CSV FROM '{url}' + n.id AS l RETURN l
CALL { LOAD CSV FROM '{url}' AS l RETURN l } RETURN l
RETURN COLLECT { LOAD CSV FROM '{url}' AS l RETURN l } AS c
RETURN EXISTS { LOAD CSV FROM '{url}' AS l RETURN l } AS c
UNWIND ['{url}'] AS u LOAD CSV FROM u AS l RETURN l
LOAD CSV FROM 'file://{file}' AS l RETURN l
LOAD CSV FROM 'file:///{file}' AS l RETURN l
LOAD CSV FROM '{file}' AS l RETURN l
LOAD CSV FROM 'file:///../../../../../..{file}' AS l RETURN l
LOAD CSV FROM 'ftp://127.0.0.1/x' AS l RETURN l
LOAD CSV FROM 'jar:{url}!/x' AS l RETURN l
LOAD CSV FROM 'https://127.0.0.1:1/x' AS l FIELDTERMINATOR ';' RETURN l
LOAD JSON FROM '{url}' AS l RETURN l
CALL apoc.load.json('{url}') YIELD value RETURN value
CALL apoc.load.csv('file://{file}') YIELD list RETURN list
CALL apoc.load.jdbc('jdbc:x', 'select 1') YIELD row RETURN row
CALL apoc.import.csv([{fileName: 'file://{file}', labels: []}], [], {}) YIELD nodes RETURN nodes
CALL apoc.export.csv.all('{file}', {}) YIELD file RETURN file
CALL apoc.util.sleep(100000)
RETURN apoc.load.json('{url}') AS x
RETURN file() AS f
RETURN linenumber() AS n
IMPORT DATABASE {url}
EXPORT DATABASE file://{file}
BACKUP DATABASE
SELECT FROM Bank
"""

PROCEDURES_AND_FUNCTIONS = r"""
CALL dbms.listConfig()
CALL dbms.listConfig() YIELD name, value RETURN name, value
CALL dbms . listConfig()
CALL dbms/**/.listConfig()
CALL `dbms`.`listConfig`()
CALL `dbms.listConfig`()
call DBMS.LISTCONFIG()
CALL dbms.components() YIELD name RETURN name
CALL dbms.info()
CALL dbms.queryJmx('*:*')
CALL dbms.killConnection('x')
CALL dbms.listConnections()
CALL dbms.security.clearAuthCache()
CALL dbms.setConfigValue('db.transaction.timeout', '0')
CALL dbms.showCurrentUser()
CALL dbms.upgrade()
CALL db.clearQueryCaches()
CALL db.createLabel('Evil')
CALL db.createProperty('evil')
CALL db.createRelationshipType('EVIL')
CALL db.checkpoint()
CALL db.awaitIndexes(1)
CALL db.resampleIndex('name_text')
CALL db.prepareForReplanning()
CALL db.stats.retrieveAllAnonymized('x')
CALL db.create.setNodeVectorProperty(1, 'vector', [1.0])
CALL tx.setMetaData({a: 1})
CALL jwt.security.requestAccess('x')
CALL apoc.cypher.runWrite('CREATE (n)', {})
CALL apoc.cypher.doIt('MATCH (n) DELETE n', {}) YIELD value RETURN value
CALL apoc.do.when(true, 'CREATE (n)', '', {}) YIELD value RETURN value
CALL apoc.periodic.iterate('MATCH (n) RETURN n', 'DELETE n', {})
CALL apoc.trigger.add('x', 'CREATE (n)', {})
CALL gds.graph.drop('x')
CALL do.when(true, 'CREATE (n:Bank {id: "x"}) RETURN n', '', {}) YIELD value RETURN value
CALL merge.node(['Bank'], {id: 'x'}) YIELD node RETURN node
CALL merge.relationship(1, 'OWNS', {}, {}, 2)
CALL refactor.mergenodes([])
CALL refactor.clonenodeswithrelationships([])
CALL db.migratelegacytemporals()
CALL meta.stats() YIELD value RETURN value
CALL meta.schema()
CALL algo.apsp()
CALL path.expand(null, '', '', 0, 9) YIELD path RETURN path
OPTIONAL CALL dbms.components() YIELD name RETURN name
MATCH (n) CALL db.createLabel(n.id) RETURN n
CALL { CALL dbms.components() YIELD name RETURN name } RETURN name
RETURN apoc.cypher.runFirstColumnSingle('CREATE (n) RETURN n', {}) AS x
RETURN `apoc`.`cypher`.`runFirstColumnSingle`('CREATE (n) RETURN n', {}) AS x
RETURN apoc . util . md5(['a']) AS x
RETURN util.sleep(100000) AS x
RETURN util.md5('a') AS x
RETURN {a: util.sleep(100000)} AS x
RETURN [x IN [1]|util.sleep(100000)] AS x
RETURN `util`.sleep(100000) AS x
RETURN eval('1 + 1') AS x
RETURN `eval`('1 + 1') AS x
RETURN create.vnode(['Bank'], {id: 'q'}) AS x
RETURN promql('up') AS x
RETURN searchIndex('Name[text]', 'x') AS x
RETURN custom.f() AS x
RETURN js.run('1') AS x
RETURN graph.names() AS x
RETURN db.nameFromElementId('4:x:0') AS x
RETURN text.regexReplace('a', '(a+)+', '') AS x
"""

DISGUISES = r"""
RETURN 1 AS a; CREATE (n)
RETURN 1 AS a;;
RETURN 1 AS a; MATCH (n) DETACH DELETE n; RETURN 2 AS b
RETURN '\u0027 CREATE (n) //' AS x
\u0043REATE (n)
MATCH (n) \u0044ELETE n
RETURN 1 AS a \u003B CREATE (n)
LOAD \u0043SV FROM '{url}' AS l RETURN l
CALL \u0064bms.listConfig()
MATCH (n) RETURN n // '~CREATE (m)
MATCH (n) RETURN n /* open
MATCH (n) RETURN 'open
MATCH (n) RETURN "open
MATCH (n) RETURN `open
/* a */ // b~CREATE (n)
// MATCH~CREATE (n)
RETURN '/*' AS a CREATE (n) RETURN '*/' AS b
RETURN "'" AS a CREATE (n) RETURN "'" AS b
RETURN `a``b` AS x CREATE (n)
RETURN 'a\\' AS x CREATE (n) RETURN '\\' AS y
RETURN 1 AS x NEXT CREATE (n)
(MATCH (n) DELETE n)
{ CREATE (n) }
ＣＲＥＡＴＥ (n)
CREATE (n)
CRE​ATE (n)
FINISH
FILTER 1 = 1

;
"""


def _lines(*blocks: str) -> list[str]:
    texts = [line.replace("~", "\n") for block in blocks for line in block.strip("\n").split("\n")]
    return list(dict.fromkeys(texts))


COSTLY = [
    "MATCH (n) RETURN n" + " " * 10_000,
    "RETURN 'a' =~ '(a|aa)+b' AS x",
    "RETURN " + "(" * 300 + "1" + ")" * 300 + " AS x",
    "RETURN " + "[" * 2000 + "]" * 2000 + " AS x",
    "RETURN " + "{a: " * 200 + "1" + "}" * 200 + " AS x",
    "RETURN reduce(l = [1, 2], x IN range(1, 40) | l + l) AS x",
    "RETURN reduce(s = 'ab', x IN range(1, 40) | s + s) AS x",
    "RETURN reduce(s = 0, x IN range(1, 3000000) | s + reduce(t = 0, y IN range(1, 3000000) | t + y)) AS x",
    "RETURN [x IN range(1, 3000000) | [y IN range(1, 3000000) | x * y]] AS x",
    "RETURN any(x IN range(1, 3000000) WHERE any(y IN $l WHERE x + y < 0)) AS x",
    "RETURN " + "+".join(["1"] * 4000) + " AS x",
    "MATCH (n) WHERE " + " OR ".join(f"n.x = {i}" for i in range(500)) + " RETURN n",
    "MATCH " + ", ".join(f"(a{i})-->(b{i})" for i in range(100)) + " RETURN count(*) AS x",
    "RETURN 1 AS x" + " UNION RETURN 1 AS x" * 400,
    "RETURN size(" + "Replace (" * 9 + "'aaaaaaaaaa'" + ", 'a', 'aaaaaaaaaa')" * 9 + ") AS n",
    "WITH 'aaaaaaaaaa' AS s " + "WITH replace(s, 'a', 'aaaaaaaaaa') AS s " * 9 + "RETURN size(s) AS n",
    "RETURN replace('aaaa', 'a', $u) AS x",
    "RETURN size(reduce(s = 'a', x IN range(1, 40) | replace(s, 'a', 'aa'))) AS n",
    "RETURN " + "+".join(["size([x IN range(1, 3000000) | x])"] * 50) + " AS x",
]
"""Cypher of which no part is wrong, but what it would cost; no time-out of an engine ends the longer ones."""
PLANNED = _lines(WRITES, SCHEMA_AND_SERVER, FILES_AND_ADDRESSES, PROCEDURES_AND_FUNCTIONS)
"""Cypher that an engine can plan, if it knows its words."""
ATTACKS = [*PLANNED, *_lines(DISGUISES), *COSTLY]
"""Cypher that is refused by its text, on whichever store."""

BOMBS = [
    "MATCH (a)-[r]->(b), (c)-[s]->(d), (e)-[t]->(f), (g)-[u]->(h) RETURN count(*) AS n",
    "MATCH (a), (b), (c), (d), (e), (f), (g) WHERE a.id + b.id + c.id + d.id + e.id + f.id < g.id RETURN count(*) AS n",
    "MATCH p = (a)-[*1..30]-(b) RETURN count(p) AS n",
    "UNWIND range(1, 1000000000) AS x RETURN count(x) AS n",
    "UNWIND range(1, 3000000) AS x UNWIND range(1, 3000000) AS y RETURN count(*) AS n",
    "UNWIND range(1, 3000000) AS x UNWIND range(1, 3000000) AS y RETURN collect(x) AS n",
    "UNWIND range(1, 30000) AS x UNWIND range(1, 30000) AS y WITH x, y ORDER BY x * y RETURN x, y LIMIT 30000",
    "WITH 'aaaaaaaaaa' AS s " + "WITH s + s AS s " * 30 + "RETURN size(s) AS n",
    "RETURN " + "+".join(["1"] * 300) + " AS n",
]
"""Cypher that reads and costs more than anybody should pay."""
