"""The letters that text in each encoding is made of: how a wrong encoding is told from the right one.

An alphabet is written in the order of its frequency. Of Chinese, Japanese and Korean the commonest signs are
given; sensible text consists of them by two thirds.
"""

from typing import Literal, NamedTuple


class Alphabet(NamedTuple):
    """Text in `encoding` that is of this `script` consists mostly of `letters`, the rest of the usual signs, which
    lie in the two-byte set `rows` from one lead byte to another.
    """

    encoding: str
    script: Literal["latin", "letters", "thai", "signs"]
    letters: str
    rows: tuple[str, int, int] | None = None


_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжюшцщэфъё"
_UKRAINIAN = "оаніивтерксулдмпязьгбйчхжшцюєїфщґ"
_BELARUSIAN = "аніяероктслвуцдмыпзьгбчжйхшўэюфё"
_KAZAKH = "аеытндрліскқмбуғпойжзшұәөңүияхвчфюцэһьъёщ"
_GREEK = "αοιετσνηυρπκμλωςγδθάίόχέήβφύώξζψϊΐϋΰ"
_ARABIC = "اليمنترهودبعسفكحقجشةصخأذطضزىئغثإظءؤآ،؟"
_HEBREW = "יוהלאתרבשמנדעקחפסכצגזטםןךףץ"
_THAI = "านรอกเง่มยลวดทสต้ัีะปบคหแจพิชขใไ์ุโูำืซึ็ผธณศถฟภญษฝฉฐฎฮๆฏฆฬฯ"
_HAN = (
    "的一是不了在人有我他中上大和地到以要就出可也你生能而子得下自之年作用道行所然家事成方多去法如都同面起看定天分好小部"
    "其些主理心本前但因只想日者意力它把十公此已工使情明性知全三又正外高由很最重手相利什二等或新己制身果加合回特代信表"
    "化位次度任常先海通教提立及比解水名真走各入口平系活更打女四何安少才反受目太量再感建做接必件管期市直德命山金指保至"
    "形社便空科司五基非放即像且思完式色路南品住告求程北取格望共清今切京招聘技能待遇地"
)
_SIMPLIFIED = (
    "这个们来为国说时会对那于着过发后里种经么学现当没动还进样开从实无与长机关点业将两间问并物应产内话给门东声员论处"
    "义几认条气题变总电数报结务场计资统区队决治展马书则听却界达强难权设记类据边该规万术领确传师观院让识候带导争运"
    "职薪岗责验软销户项岁历险奖双证专负"
)
_TRADITIONAL = (
    "這個們來為國說時會對那於著過發後裡種經麼學現當沒動還進樣開從實無與長機關點業將兩間問並物應產內話給門東聲員論處"
    "義幾認條氣題變總電數報結務場計資統區隊決治展馬書則聽卻界達強難權設記類據邊該規萬術領確傳師觀院讓識候帶導爭運"
    "職薪崗責驗軟銷戶項歲歷險獎雙證專負徵誠需"
)
_JAPANESE = (
    "あいうえおかきくけこさしすせそたちつてとなにのはひふへほまみめもやゆよらりるれろわをんがぎぐげござじずぜぞだでどばび"
    "ぶべぼぱぴぷぺぽゃゅょっアイウエオカキクケコサシスセソタチツテトナニネノハヒフヘホマミムメモヤユヨラリルレロワン"
    "ガギグゲゴザジズデドバビブベボパピプペポャュョッー、。・「」（）日一国人年大十本中長出三時行見月後前生間上東今"
    "金入高円子外下来気小会社新業務員経験給与勤地者募集以方接工作正契約資格歓迎未可能場所休制度力用通"
)
_HANGUL = (
    "이다는에의을를가고하지은로서한기리사자도있인시대어나일스정제주아해그과보들부전수원상공만장동용신으여조구국비라요업"
    "당입니무력화금월년급숙식근모집경내성관개발직문회연소계약남유재관보선생학트오면유마합"
)

# The first of equals wins.
ALPHABETS: tuple[Alphabet, ...] = (
    *(Alphabet("cp1251", "letters", letters) for letters in (_RUSSIAN, _UKRAINIAN, _BELARUSIAN)),
    Alphabet("koi8-r", "letters", _RUSSIAN),
    *(Alphabet("koi8-u", "letters", letters) for letters in (_UKRAINIAN, _BELARUSIAN)),
    *(Alphabet(e, "letters", _RUSSIAN) for e in ("cp866", "iso8859-5", "mac-cyrillic")),
    *(Alphabet(e, "letters", _KAZAKH) for e in ("kz1048", "ptcp154")),
    Alphabet("cp1253", "letters", _GREEK),
    *(Alphabet(e, "letters", _ARABIC) for e in ("cp1256", "iso8859-6")),
    Alphabet("cp1255", "letters", _HEBREW),
    Alphabet("cp874", "thai", _THAI),
    Alphabet("gb18030", "signs", _HAN + _SIMPLIFIED, ("gb2312", 0xB0, 0xD7)),
    Alphabet("big5hkscs", "signs", _HAN + _TRADITIONAL),
    Alphabet("cp932", "signs", _JAPANESE, ("euc_jp", 0xB0, 0xCF)),
    Alphabet("euc_jp", "signs", _JAPANESE, ("euc_jp", 0xB0, 0xCF)),
    Alphabet("cp949", "signs", _HANGUL, ("euc_kr", 0xB0, 0xC8)),
    *(Alphabet("cp1252", "latin", s) for s in ("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü¿¡ºª", "ãáàâçéêíõóôúº")),
    *(Alphabet("cp1252", "latin", s) for s in ("àèéìòùî", "åäöæøé", "áðéíóúýþæö", "éëïöü")),
    Alphabet("cp1254", "latin", "ğışçöüâîûİ"),
    *(Alphabet("cp1250", "latin", s) for s in ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž")),
    *(Alphabet("cp1250", "latin", s) for s in ("áéíóöőúüű", "čćđšž", "ăâîşţ")),
    *(Alphabet("iso8859-2", "latin", s) for s in ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "čćđšž", "áéíóöőúüű")),
    Alphabet("iso8859-16", "latin", "ăâîșț"),
    *(Alphabet("cp1257", "latin", s) for s in ("āčēģīķļņšūž", "ąčęėįšųūž", "äõöüšž")),
    Alphabet("cp852", "latin", "ąćęłńóśźż"),
    *(
        Alphabet("cp850", "latin", s)
        for s in ("äöüß", "àâçéèêëîïôùûü", "áéíñóúü¿¡", "ãáàâçéêíõóôú", "åäöæøé")
    ),
    *(Alphabet("mac-roman", "latin", s) for s in ("äöüß", "àâçéèêëîïôœùûü", "áéíñóúü¿¡", "åäöæøé")),
)
