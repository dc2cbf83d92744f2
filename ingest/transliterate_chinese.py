"""Chinese company words and places in English: what of a firm's name is translated, while a brand is sounded out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _table(text: str) -> dict[str, str]:
    rows = (row.split("=") for row in text.replace("\n", ";").split(";") if "=" in row)
    return {chinese.strip(): english.strip() for names, english in rows for chinese in names.split("/")}


WORDS: Final[Mapping[str, str]] = _table("""
银行/銀行=bank;商业银行/商業銀行=commercial bank;农业/農業=agricultural;工商=industrial commercial
建设/建設=construction
开发/開發=development;进出口/進出口=export import;投资/投資=investment;证券/證券=securities;保险/保險=insurance
人寿/人壽=life;财产/財產=property;再保险=reinsurance;信托/信託=trust;基金=fund;金融=financial;资本/資本=capital
资产/資產=asset;资产管理/資產管理=asset management;管理=management;期货=futures;租赁/租賃=leasing;担保=guarantee
集团/集團=group;控股=holdings;股份=;国际/國際=international;环球/環球=global;全球=global;联合/聯合=united
科技=technology;技术/技術=technology;信息=information;资讯=information;网络/網絡/網路=network;软件/軟件=software
电子/電子=electronics;半导体/半導體=semiconductor;芯片=chip;通信/通訊=communications;电信/電信=telecom
移动/移動=mobile;联通/聯通=unicom;互联网=internet;数据/數據=data;智能=intelligent;机器人/機器人=robotics
能源=energy;新能源=new energy;电力/電力=power;电网/電網=grid;国家电网=state grid;石油=petroleum;天然气=natural gas
石化=petrochemical;石油化工=petrochemical;化工=chemical;化学/化學=chemical;煤炭=coal;核电=nuclear power
海洋石油=offshore oil;太阳能=solar;风电/風電=wind power;光伏=photovoltaic;水电=hydropower;燃气=gas;环保=environmental
汽车/汽車/自動車=motor;摩托车=motorcycle;机械/機械=machinery;重工=heavy industries;工业/工業=industrial
制造=manufacturing
设备/設備=equipment;工程=engineering;建筑/建築=construction;材料=materials;水泥=cement;钢铁/鋼鐵=steel
有色金属=nonferrous metals
铝业=aluminum;铜业=copper;黄金=gold;矿业/礦業=mining;稀土=rare earth;玻璃=glass;纸业=paper;纺织=textile;服装=garment
航空=airlines;航天=aerospace;机场=airport;航运=shipping;海运=shipping;远洋/遠洋=ocean;港口=port;港务=port;铁路=railway
高速=expressway;物流=logistics;快递=express;运输=transport;造船=shipbuilding;船舶=shipbuilding
地产/地產=properties;房地产=real estate;置业=properties;物业=property;酒店=hotel;旅游/旅遊=tourism;百货=department store
零售=retail;超市=supermarket;贸易/貿易=trading;商贸=trading;实业/實業=industrial;商务=commerce;电商=commerce
食品=foods;饮料=beverage;乳业=dairy;啤酒=brewery;酿酒=distillery;粮油=cereals oils;茶业=tea;牧业=animal husbandry
渔业=fishery
医药/醫藥=pharmaceutical;制药/製藥=pharmaceutical;药业/藥業=pharmaceutical;生物=biological;生物科技=biotechnology
医疗/醫療=medical;医院=hospital;健康=health;器械=devices;教育=education;文化=culture;传媒/傳媒=media;影业=pictures
出版=publishing;娱乐/娛樂=entertainment;游戏/遊戲=games;广告=advertising;体育=sports;家电=appliances;电器/電器=electric
电气/電氣=electric;光学/光學=optical;液压/液壓=hydraulic;长城/長城=great wall;仪器=instruments;照明=lighting;家居=home
塑料=plastics;橡胶=rubber;轮胎=tyre
电池=battery
咨询=consulting;服务/服務=services;发展/發展=development;产业/產業=industry;企业/企業=enterprise;合作社=cooperative
国家=state;中央=central;人民=peoples;第一=first;第二=second;大学=university;研究院=institute;总公司=corporation
公司=;有限=;责任=;的=;和=and;与=and;南方=southern;东方/東方=oriental;北方=northern;西部=western;太平洋=pacific
太平=taiping
""")
"""Word -> English; "" is left out. Where two words share letters the longer one counts."""

PLACES: Final[Mapping[str, str]] = _table("""
中国/中國=china;中华/中華=china;香港=hong kong;澳门/澳門=macau;台湾/臺灣/台灣=taiwan;北京=beijing;上海=shanghai
天津=tianjin;重庆/重慶=chongqing;深圳=shenzhen;广州/廣州=guangzhou;广东/廣東=guangdong;广西=guangxi;浙江=zhejiang
江苏/江蘇=jiangsu;南京=nanjing;苏州=suzhou;杭州=hangzhou;宁波=ningbo;温州=wenzhou;福建=fujian;厦门=xiamen;福州=fuzhou
山东/山東=shandong;青岛/青島=qingdao;济南=jinan;烟台=yantai;河北=hebei;河南=henan;郑州=zhengzhou;湖北=hubei
武汉/武漢=wuhan;湖南=hunan;长沙=changsha;江西=jiangxi;安徽=anhui;合肥=hefei;四川=sichuan;成都=chengdu;贵州=guizhou
云南/雲南=yunnan;昆明=kunming;陕西=shaanxi;西安=xian;山西=shanxi;甘肃=gansu;兰州=lanzhou;宁夏=ningxia;新疆=xinjiang
西藏=tibet;青海=qinghai;内蒙古=inner mongolia;辽宁=liaoning;大连=dalian;沈阳=shenyang;吉林=jilin;长春=changchun
黑龙江=heilongjiang;哈尔滨=harbin;海南=hainan;珠海=zhuhai;东莞=dongguan;佛山=foshan;无锡=wuxi;常州=changzhou
亚洲/亞洲=asia;亚太=asia pacific;欧洲/歐洲=europe;美国/美國=america;英国/英國=britain;德国/德國=germany;法国/法國=france
日本=japan;韩国/韓國=korea;新加坡=singapore;印度=india;俄罗斯=russia;加拿大=canada;澳大利亚=australia;瑞士=switzerland
意大利=italy;西班牙=spain;东京=tokyo;伦敦=london;纽约=new york;巴黎=paris;长江/長江=yangtze;黄河=yellow river
""")
"""Place -> English."""

_OLD: Final = (
    "國国騰腾東东車车馬马長长門门電电話话業业產产開开發发務务動动機机會会際际聯联華华萬万億亿銀银錢钱鐵铁鋼钢銅铜鋁铝錦锦鋒锋鑫鑫陽阳陰阴龍龙鳳凤"
    "飛飞鳥鸟魚鱼興兴榮荣豐丰盛盛實实寶宝貝贝財财貨货貿贸資资質质費费贏赢農农藥药醫医療疗養养衛卫環环淨净灣湾滬沪漢汉濟济瀋沈瀾澜無无愛爱"
    "樂乐樓楼標标樣样權权橋桥歐欧歷历殼壳氣气訊讯記记設设許许證证評评詞词試试詩诗誠诚語语說说課课調调談谈請请論论諾诺謝谢識识議议護护讀读"
    "變变讓让豬猪貴贵買买賣卖趙赵躍跃軟软軸轴輕轻載载輝辉輪轮輸输轉转農农遠远適适選选遊游運运過过達达遲迟鄉乡鄭郑鄧邓釀酿釋释針针鈔钞"
    "銘铭銳锐鋪铺錄录錢钱鍋锅鏈链鏡镜鐘钟鑄铸鑑鉴鑫鑫閃闪閣阁關关陳陈陸陆際际隊队階阶險险雞鸡雙双雜杂離离難难雲云霧雾靈灵靜静韓韩響响頁页"
    "頂顶項项順顺預预領领頭头題题顏颜願愿類类顧顾風风飯饭飲饮飾饰餘余館馆駕驾驗验體体髮发鬥斗麗丽麥麦黃黄點点黨党齊齐齒齿廣广廠厂廳厅張张"
    "強强彈弹從从復复德德應应態态慶庆憲宪懷怀戰战戲戏戶户護护據据擇择擊击擔担擴扩攝摄數数斷断於于時时晉晋曉晓書书條条楊杨極极構构樹树機机"
    "壓压壽寿夢梦奧奥學学寧宁審审寫写將将專专尋寻對对導导層层島岛師师帶带幣币幫帮幹干庫库優优億亿儲储價价儀仪備备傳传債债傑杰傷伤偉伟側侧"
    "倫伦個个們们來来俠侠係系兒儿內内兩两冊册凱凯劃划劇剧劉刘則则創创勝胜勞劳勢势勵励區区協协單单參参廠厂吳吴員员問问啟启喬乔單单圍围園园"
    "圓圆圖图團团場场塊块塑塑塵尘墊垫壇坛維维綠绿網网綱纲綜综線线編编緯纬縣县總总績绩織织繪绘繼继續续纖纤罰罚羅罗義义習习聖圣聞闻聲声職职"
    "腦脑臉脸臺台舊旧舉举艙舱艦舰藍蓝蘇苏蘭兰處处號号蟲虫術术裝装補补製制複复見见規规視视覽览觀观訂订計计討讨訓训託托"
)
SIMPLIFIED: Final = str.maketrans(dict(zip(_OLD[::2], _OLD[1::2], strict=True)))
"""Sign written the old way -> as on the mainland, of signs usual in names."""
