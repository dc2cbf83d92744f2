"""Values that want to be code: in Cypher, SQL, shells, paths, templates, markup, JSON, headers and Unicode."""

from __future__ import annotations

_CYPHER = r"""
'
"
`
\
\'
'}) DETACH DELETE n //
"}) DETACH DELETE n //
'}) MATCH (m) DETACH DELETE m RETURN 1 //
'] DETACH DELETE n //
') OR 1=1 //
' OR '1'='1
' OR 1=1 RETURN n //
" OR ""="
x' RETURN n UNION MATCH (m) RETURN m //
x' UNION CALL dbms.components() YIELD name RETURN name //
x'; MATCH (n) DETACH DELETE n; //
'; CREATE (n:Bank {id: 'evil'}); //
x`) DETACH DELETE n //
`]->() DETACH DELETE r //
Bank) DETACH DELETE n //
Bank {id: 'x'}) SET n.id = 'y' //
LENDS_TO]->(b) DELETE r //
LENDS_TO|OWNS*1..99
*1..999999
$known
$valid
${known}
$`x`
{id: $id}
n.id
n) RETURN n //
// comment
/* comment
*/ CREATE (n) /*
1 CREATE (n)
1; DROP CONSTRAINT entity_id
0 UNION ALL MATCH (n) RETURN n
\u0027}) DETACH DELETE n //
\u0027 OR 1=1 //
\\u0027
\x27
%27%20OR%201%3D1
&#39; OR 1=1
LOAD CSV FROM 'http://127.0.0.1:1/x' AS l RETURN l
CALL db.createLabel('Evil')
CALL { CREATE (n) }
MATCH (n) DETACH DELETE n
EXPLAIN
SHOW USERS
null
NULL
true
NaN
Infinity
-Infinity
1e999
-1
0
9223372036854775808
-9223372036854775809
1.7976931348623157e309
0x7fffffff
1_000
١٢٣
2024-13-45
0000-00-00
9999-12-31
9999-12-31T23:59:59.999999Z
-9999-01-01
now()
date('2020-01-01')
"""

_OTHERS = r"""
'; DROP TABLE nodes; --
' UNION SELECT * FROM schema:types --
1' AND SLEEP(5)--
admin'--
" OR 1=1 --
') ; SELECT pg_sleep(5) --
DELETE FROM Bank
TRUNCATE TYPE Bank UNSAFE
#12:0
@rid
@type
$(touch evil)
`touch evil`
; touch evil
| touch evil
&& touch evil
> evil
< /etc/passwd
-rf
--help
--home=/
-
--
../../../../etc/passwd
..\..\windows\win.ini
/etc/passwd
/dev/zero
/proc/self/environ
file:///etc/passwd
http://127.0.0.1:1/
//127.0.0.1/x
C:\x
CON
~root
.
..
/
%2e%2e%2f
%00
%s%s%s%n
{0.__class__}
{}
{{7*7}}
{% raw %}
#{7*7}
<%= 7*7 %>
__import__('os').system('touch evil')
__proto__
constructor
!!python/object/apply:os.system ['touch evil']
<script>alert(1)</script>
"><img src=x onerror=alert(1)>
<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>
=1+1
=cmd|' /C calc'!A0
@SUM(1)
[]
[1]
["a"]
{"a": 1}
{"$gt": ""}
{"id": {"$ne": null}}
a,b
a=b
a&b=c
a;b
a:b
lei:
:lei
name:
name:x' OR '1'='1
score:
score:distress' OR 1=1
person:0000000000000000
fact:x
*
?
(
)
(a+)+$
.*
[a-z]*
"""

VALUES = list(
    dict.fromkeys(
        [
            *(line for block in (_CYPHER, _OTHERS) for line in block.strip("\n").split("\n")),
            "",
            " ",
            "\t",
            "\n",
            "\r\nX-Evil: 1",
            "\x00",
            "a\x00b",
            "\x1b[31m",
            "\x7f",
            "\ufeff",
            "\u200b",
            "\u202enoitcejni",
            "\u2028",
            "\uffff",
            "\U0010ffff",
            "ß",
            "İ",
            "e\u0301" * 50,
            "银行",
            "𝔅𝔞𝔫𝔨",
            "ＣＲＥＡＴＥ",
            "\u02bc OR 1=1",
            "\uff07 OR 1=1",
            "👩‍👩‍👧‍👦",
            "a" * 2_000,
            "'" * 500,
            "(" * 500,
            "\\" * 500,
            "name:" + "x" * 500,
        ]
    )
)
"""At least 150 strings, none of which is right anywhere."""
LONE = "\ud800"
"""Half of a pair, which JSON can carry and no encoding of text can write."""
