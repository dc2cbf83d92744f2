"""Chinese names of firms: their legal form, their core, and what they say about their bearer.

`深圳市远山科技股份有限公司` is a place, a core, a trade and a form; the press writes the core, and the trade or not.
"""

from __future__ import annotations

import re
from typing import Final

HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
"""Chinese characters, for use inside the brackets of a regular expression."""
_ANY: Final = re.compile(f"[{HAN}]")
_FORM: Final = re.compile(
    r"(?:[（(](?:集团|控股|中国|股份)[)）])?(?:股份有限公司|有限责任公司|集团有限公司|有限公司|股份公司|集团公司|公司)"
    r"(?:[（(][^()（）]{2,12}[)）])?$"
)
_GROUP: Final = re.compile(r"(?:控股集团|集团控股|集团股份|控股|集团|股份|国际)$")
_PLACE: Final = re.compile(
    r"^(?:北京|上海|天津|重庆|深圳|广州|杭州|南京|苏州|成都|武汉|西安|青岛|大连|厦门|宁波|无锡|长沙|郑州|合肥|福州|济南|"
    r"沈阳|哈尔滨|长春|昆明|贵阳|南宁|南昌|太原|石家庄|兰州|海口|珠海|东莞|佛山|广东|浙江|江苏|山东|福建|四川|湖北|湖南|河南|"
    r"河北|安徽|江西|陕西|山西|辽宁|吉林|黑龙江|云南|贵州|广西|海南|甘肃|新疆|内蒙古|宁夏|青海|西藏|香港|澳门|台湾)(?:省|市)?"
)
INDUSTRY: Final = (
    "新能源|能源|汽车|房地产|地产|置业|置地|科技|技术|电子|生物医药|医药|制药|药业|生物|食品|证券|保险|信托|银行|资本|投资|传媒|"
    "网络|软件|航空|物流|钢铁|化工|煤业|重工|电器|乳业|酒业|建设|建工|实业|商业|矿业|铜业|铝业|锂业|纸业|造船|船舶|储能|轴承|评级|"
    "资管|基金|期货|租赁|支付|通信|通讯|半导体|微电子|光电|智能|环保|水泥|电力|燃气|石油|石化|海运|航运|快递|出行|影业|教育|餐饮|咖啡|"
    "服饰|家居|农业|牧业|机械|装备|材料|新材|光伏|游戏|医疗|器械|商贸|贸易|百货|超市|零售|电商|电气|电池|数据|文化|旅游|酒店|"
    "人寿|财险|农商行"
)
"""Trades that stand at the end of a name, for use in a regular expression."""
_TRADE: Final = re.compile(f"(?:{INDUSTRY})+$")
_BANK: Final = re.compile(r"银行|农商行|信用社|农信")
_FUND: Final = re.compile(r"基金$|基金[（(]|理财产品$|信托计划$|ETF$")
_WORDS: Final = (
    "中国 中华 全国 国家 国际 世界 全球 东方 南方 北方 西部 中央 第一 新华 公司 集团 银行 控股 股份 企业 市场 "
    "北京 上海 深圳 广州 天津 重庆 香港 美国 日本 英国 长江 黄河 太平洋 人民 国有 民生 中信 平安 发展 建设 农业 "
    "光大 招商 兴业 华夏 华润 长城 海洋 大地 阳光 光明 希望 和平 幸福 健康 投资 工商 交通 银行间 商业"
)
_ORDINARY: Final = frozenset(_WORDS.split())
"""Cores that are words of everyday speech or places: too common to stand for a firm by themselves."""


def is_chinese(name: str) -> bool:
    """True for a name that holds a Chinese character."""
    return bool(_ANY.search(name))


def unspaced(character: str) -> bool:
    """True for a letter of a script that is written without gaps between words."""
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"


def without_form(name: str) -> str:
    """The name without its legal form: `远山科技` of `远山科技股份有限公司`."""
    return _FORM.sub("", name) or name


def short_forms(name: str) -> set[str]:
    """What the press may call the firm: without place, group word or trade, where what is left can be told."""
    plain = without_form(name)
    place = _PLACE.match(plain)
    found = _cores(plain, 2)
    if place:  # `深圳市远山科技` is registered so; `云南白药` is a name, and 白药 a word
        found |= _cores(plain[place.end() :], 2 if place[0].endswith(("市", "省")) else 3)
    return {n for n in found if telling(n)}


def _cores(plain: str, least: int) -> set[str]:
    groupless = {plain, _GROUP.sub("", plain)}
    return {n for n in groupless | {_TRADE.sub("", n) for n in groupless} if len(n) >= least}


def telling(short: str) -> bool:
    """True if a shortened name can be told from ordinary words."""
    return len(short) >= 2 and short not in _ORDINARY and not _PLACE.fullmatch(short) and not _TRADE.fullmatch(short)


def label_of_chinese(name: str) -> str:
    """Bank, Fund or Company by the name alone."""
    if _FUND.search(name):
        return "Fund"
    return "Bank" if _BANK.search(name) and not name.endswith(("银行卡", "银行间")) else "Company"
