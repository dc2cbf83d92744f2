"""Patterns by which Chinese sentences state relations and events, written over a sentence with its names masked.

Each of these is one sign of a pattern: ① a firm, ② a person, ③ either, ④ an amount, ⑤ a share, ⑥ an office; `～` is
a stretch without another name. Groups are the roles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

FIRM, PERSON, SUM, PART, DAY = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
_OFFICE: Final = (
    r"(?:(?:联席|执行|副|代理|名誉|首席)*(?:董事长|副董事长|总经理|总裁|副总裁|行长|副行长|首席[\u4e00-\u9fff]{2,3}官|CEO|CFO|COO|财务总监|"
    r"财务负责人|董事会秘书|董秘|独立董事|董事|监事长|监事会主席|监事|主席|总监|主任|负责人|总会计师)(?:兼|及|、|和)?)+"
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way to say a relation or event."""

    type: str
    expression: re.Pattern[str]
    event: str = ""
    ended: bool = False


def _pattern(type: str, written: str, ended: bool = False) -> Pattern:
    """`type` is an edge type, or an event type in small letters. Groups are its roles."""
    signs = {"①": FIRM, "②": PERSON, "③": f"[{FIRM}{PERSON}]", "④": SUM, "⑤": PART, "⑥": _OFFICE}
    gap = rf"(?:(?!提供|发放|授予|供货|供应|起诉|收购)[^；。！？{FIRM}{PERSON}])" + "{0,20}?"
    expression = "".join(gap if c == "～" else signs.get(c, c) for c in written)
    event = type if type.islower() else ""
    return Pattern("AFFECTED_BY" if event else type, re.compile(expression), event, ended)


_LOAN: Final = "(?:贷款|借款|授信|融资|信贷|资金支持|流动资金)"
_UNPAID: Final = (
    "(?:违约|(?:未能?|无法|没能|没有能力|无力)(?:按期|如期|按时|及时|足④)*～(?:兑付|偿还|偿付|支付|付息|还款|清偿|履行)|"
    "(?:出现|发生|构成|已经?|债券?|票据|本息|利息)逾期)"
)
PATTERNS: Final[tuple[Pattern, ...]] = (
    _pattern(
        "LENDS_TO",
        f"(?P<source>①)～[向给](?P<target>①)～(?:提供|发放|授予|投放|批出|借出|出借)[^；。①②]{{0,24}}?{_LOAN}",
    ),
    _pattern(
        "LENDS_TO", f"(?P<target>①)～[向从自](?P<source>①)～(?:借款|借入|贷款|拆借|(?:获得|取得|获批|申请到)～{_LOAN})"
    ),
    _pattern("LENDS_TO", f"(?P<source>①)～(?:给予|授予|借给|贷给|批予)(?P<target>①)～(?:{_LOAN}|④)"),
    _pattern("LENDS_TO", f"(?P<target>①)～(?:获得|获|取得|得到|拿到|接受|收到)(?P<source>①)[^；。①②]{{0,20}}?{_LOAN}"),
    _pattern("LENDS_TO", "(?P<target>①)～(?:拖?欠)(?P<source>①)～(?:款|债|④|贷)"),
    _pattern("LENDS_TO", "(?P<source>①)[是为系](?P<target>①)～(?:债权人|债权银行|贷款人|贷款行|放款人)"),
    _pattern("LENDS_TO", "(?P<target>①)[是为系](?P<source>①)～(?:债务人|借款人)"),
    _pattern("LENDS_TO", f"(?P<source>①)～为(?P<target>①)～(?:筹组|安排|组建)[^；。①②]{{0,16}}?{_LOAN}"),
    _pattern("LENDS_TO", f"(?P<source>①)～(?:批准|通过|核准)了?(?P<target>①)～{_LOAN}申请"),
    _pattern(
        "LENDS_TO",
        f"(?P<source>①)～[为对](?P<target>①)～(?:提供|发放)(?:(?!担保|保证)[^；。①②]){{0,24}}?{_LOAN}(?!担保)",
    ),
    _pattern("OWNS", "(?P<source>③)～(?:曾经?|此前|原|不再)持有(?P<target>①)", ended=True),
    _pattern(
        "OWNS",
        "(?P<source>③)～(?:出售|转让|清仓|卖出)[了完]?(?:其)?所?(?:持有?)?的?(?P<target>①)的?(?:全部|所有)",
        ended=True,
    ),
    _pattern("OWNS", "(?P<source>③)～通过①～持有(?P<target>①)～(?:股|⑤)"),
    _pattern("OWNS", "(?<!通过)(?P<source>③)～持有(?P<target>①)～(?:股|⑤)"),
    _pattern("OWNS", "(?P<target>①)～⑤～(?:股份|股权|股票)～由(?P<source>③)～(?:持有|所有)"),
    _pattern("OWNS", "(?P<source>③)[是为系](?P<target>①)～(?:股东|实际控制人|实控人)"),
    _pattern("OWNS", "(?P<target>①)的?～(?:股东|实际控制人|实控人)[是为系](?P<source>③)"),
    _pattern("OWNS", "(?P<source>③)～(?:拿下|收获|取得|控股|持股)了?(?P<target>①)～(?:股权|股份|⑤)"),
    _pattern("OWNS", "(?P<target>①)～由(?P<source>③)(?P<whole>全资)(?:拥有|持有|控股)"),
    _pattern("OWNS", "(?P<source>③)～(?:受让|买入|购入|购得)③?～所?(?:持有?)?的?(?P<target>①)～股"),
    _pattern("OWNS", "(?P<source>③)～(?:入股|增持|参股)了?(?P<target>①)"),
    _pattern("OWNS", "(?P<source>①)～(?:收购|并购|吞并|买下)了?(?P<target>①)"),
    _pattern("OWNS", "(?P<source>①)～完成了?对(?P<target>①)的?～(?:收购|并购)"),
    _pattern("OWNS", "(?P<target>①)～被(?P<source>①)～(?:收购|并购|吞并|买下)"),
    _pattern("acquisition", "(?P<acquirer>①)～(?:收购|并购|吞并|买下)了?(?P<target>①)"),
    _pattern("acquisition", "(?P<acquirer>①)～完成了?对(?P<target>①)的?～(?:收购|并购)"),
    _pattern("acquisition", "(?P<target>①)～被(?P<acquirer>①)～(?:收购|并购|吞并|买下)"),
    _pattern(
        "SUBSIDIARY_OF", "(?P<source>①)[是为系](?P<target>①)的?(?P<whole>全资)?(?:控股)?(?:子公司|附属公司|孙公司)"
    ),
    _pattern(
        "SUBSIDIARY_OF",
        "(?P<target>①)(?:的|旗下的?|下属的?)?(?P<whole>全资)?(?:控股)?(?:子公司|附属公司|孙公司)(?P<source>①)",
    ),
    _pattern("SUBSIDIARY_OF", "(?P<target>①)～[为对向](?:其|旗下|下属)?(?P<whole>全资)?(?:控股)?子公司(?P<source>①)"),
    _pattern("SUBSIDIARY_OF", "(?P<source>①)～(?:隶属|从属)于?(?P<target>①)"),
    _pattern("COMPETES_WITH", "(?P<source>①)[是为系](?P<target>①)的?～(?:竞争对手|对手|竞争者|劲敌)"),
    _pattern("COMPETES_WITH", "(?P<source>①)[与和同跟](?P<target>①)～(?:互为|是|为|成为)～(?:竞争对手|对手|竞争者)"),
    _pattern("COMPETES_WITH", "(?P<source>①)～[与和同跟](?P<target>①)～(?:展开|正面|激烈|存在|直接)～竞争"),
    _pattern(
        "EXPOSED_TO",
        "(?P<source>③)～[为对向](?:[^；。，①②]{0,8})(?P<target>①)[^；。①②]{0,24}?提供[^；。①②]{0,16}?(?:担保|保证)",
    ),
    _pattern("EXPOSED_TO", "(?P<target>①)～由(?P<source>③)～(?:提供)?[^；。①②]{0,12}?(?:担保|保证)"),
    _pattern("SUPPLIES", "(?P<source>①)～[向为给](?P<target>①)～(?:供应|供货|供给|配套)"),
    _pattern("SUPPLIES", "(?P<source>①)[是为系](?P<target>①)～供应商"),
    _pattern("SUPPLIES", "(?P<target>①)[是为系](?P<source>①)～(?:客户|买家|采购方)"),
    _pattern("SUPPLIES", "(?P<source>①)的?～(?:客户|买家)(?:是|为|包括|有)(?P<target>①)"),
    _pattern(
        "SUPPLIES",
        "(?P<source>①)[与和](?P<target>①)～(?:签订|签署|达成)[^；。，①②]{0,8}?(?:供货|供应)(?:协议|合同|合约)",
    ),
    _pattern("SUPPLIES", "(?P<target>①)～由(?P<source>①)(?:独家|长期)?(?:供应|供货)"),
    _pattern("SUPPLIES", "(?P<target>①)～[向从自](?P<source>①)～采购"),
    _pattern("default", f"(?P<subject>①)～{_UNPAID}"),
    _pattern("bankruptcy", "(?P<subject>①)～(?:破产|清盘|资不抵债)"),
    _pattern("lawsuit", "(?P<plaintiff>③)～(?:起诉|状告|控告)了?(?P<defendant>③)"),
    _pattern("lawsuit", "(?P<plaintiff>③)～将(?P<defendant>③)～(?:诉至|告上|告到|诉诸|诉上)"),
    _pattern("lawsuit", "(?P<plaintiff>③)～对(?P<defendant>③)～(?:提起|发起)～(?:诉讼|仲裁)"),
    _pattern("lawsuit", "(?P<defendant>③)～被～(?P<plaintiff>③)～(?:起诉|告上|诉至|告到)"),
    _pattern("downgrade", "(?P<agency>①)～[将把](?P<subject>①)～(?:评级|等级)～(?:下调|调低|调降|降)"),
    _pattern("downgrade", "(?P<agency>①)～(?:下调|调低|调降)了?(?P<subject>①)～(?:评级|等级)"),
    _pattern("downgrade", "(?P<subject>①)～(?:评级|等级)～[遭被](?P<agency>①)～(?:下调|调低|调降)"),
    _pattern("downgrade", "(?P<subject>①)～(?:评级|等级)～[遭被]?(?:下调|调低|调降)"),
    _pattern("upgrade", "(?P<agency>①)～[将把](?P<subject>①)～(?:评级|等级)～(?:上调|调高|调升)"),
    _pattern("upgrade", "(?P<agency>①)～(?:上调|调高|调升)了?(?P<subject>①)～(?:评级|等级)"),
    _pattern("upgrade", "(?P<subject>①)～(?:评级|等级)～[获被](?P<agency>①)～(?:上调|调高|调升)"),
    _pattern("sanction", "(?P<target>①)～(?:被|遭|收到)～(?:罚款|处罚|被罚|罚没|罚单|警告)"),
    _pattern("sanction", "[对向](?P<target>①)～(?:处以|作出|开出|予以|处)～(?:罚款|处罚|罚单|罚没)"),
    _pattern("sanction", "[对向](?P<target>①)(?:罚款|处罚|罚没|开罚)"),
    _pattern("fraud", "(?P<subject>①)～(?:财务造假|虚增|欺诈发行|虚假记载|欺诈|财务舞弊)"),
    _pattern(
        "OFFICER_OF",
        "(?P<target>①)～(?:任命|聘任|聘请|委任|选举)(?P<source>②)～(?:为|担任|出任|任)[^；。，①②]{0,4}?(?P<role>⑥)",
    ),
    _pattern(
        "OFFICER_OF",
        "(?<!接替)(?P<source>②)～(?<!不再)(?:出任|担任|就任|获任|接任|升任|(?<![辞担])任)(?P<target>①)的?(?P<role>⑥)",
    ),
    _pattern("OFFICER_OF", "(?P<source>②)接替②(?:出任|担任|就任|接任|升任|任)(?P<target>①)的?(?P<role>⑥)"),
    _pattern("OFFICER_OF", "(?P<source>②)～(?:辞任|辞去|卸任|不再担任)了?(?P<target>①)的?～(?P<role>⑥)", ended=True),
    _pattern(
        "OFFICER_OF", "(?P<target>①)的?(?P<role>⑥)(?P<source>②)～(?:辞职|辞任|离任|离职|去职|卸任|被免职)", ended=True
    ),
    _pattern(
        "officer_change",
        "(?P<company>①)～(?:任命|聘任|聘请|委任|选举)(?P<officer>②)～(?:为|担任|出任|任)[^；。，①②]{0,4}?⑥",
    ),
    _pattern("officer_change", "(?<!接替)(?P<officer>②)～(?:出任|就任|获任|接任|升任)(?P<company>①)的?⑥"),
    _pattern(
        "officer_change", "(?P<officer>②)接替(?P<former_officer>②)(?:出任|担任|就任|接任|升任|任)(?P<company>①)的?⑥"
    ),
    _pattern("officer_change", "(?P<former_officer>②)～(?:辞任|辞去|卸任|不再担任)了?(?P<company>①)的?～⑥"),
    _pattern("officer_change", "(?P<company>①)的?⑥(?P<former_officer>②)～(?:辞职|辞任|离任|离职|去职|卸任|被免职)"),
)
DENIED: Final = re.compile(
    r"未(?!来)|没有|没(?!收)|并非|不是|不会|不能|不存在|不得|否认|澄清|不实|不构成|免于|无需|尚无|并无"
)
DOUBTED: Final = re.compile(
    r"可能|或将|或(?=[被遭会无未违])|恐|拟(?!合)|计划|打算|考虑|有意|预计|预期|有望|传闻|据传|传言|谣言|如果|若(?!干)|假如|一旦|倘若|是否|"
    r"洽谈|谈判|磋商|威胁|寻求|希望|能否|避免|防止|认为"
)
TAKEN_BACK: Final = re.compile(r"不实|谈判|洽谈|传闻|谣言|终止|告吹|失败|被否")
UNABLE: Final = re.compile(r"未(?:能|按|如期|及时)|无法|没能|没有能力|无力")
