"""The words for which a line is left out of the demo. No pleasant read: each is here to be kept off a screen."""

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


STEMS: Final = _words(
    """
    fuck fuk fck phuck phuk fvck motherf mofo shit sh1t shyt sheit scheis merde mierda kurwa cunt kunt bitch
    biatch b1tch beotch biotch bastard asshol arsehol asshat asswip jackass dumbass badass smartass kickass
    assload fatass lameass whore slut skank hooker prostitut stripper faggot fagg nigg negro retard porn pr0n
    p0rn hentai xxx playboy erotic sexual sexy sexi orgas masturb jerkoff jackoff ejacul blowjob handjob penis
    pen1s vagin pussy clitor dildo vibrator testicl scrotum boob titties titty nipple buttock butthole butthead
    naked nudity nudist horny kinky fetish bondage incest pedo paedo molest rapist raping virgin condom viagra
    cialis lesbian homosex tranny shemale gaylord suicid hitler holocaust terroris jihad genocid slaughter
    cocaine heroin lynch sexc craptas marijuan marihuan cannabis stoned goddam dammit damnit bullcrap bollock
    bugger crapp pissed pissing pisser turd poop fart vomit diarr douche scumbag moron idiot imbecil cretin dumb
    stupid stfu gtfo omfg lmfao lmao fubar foad pmsl milf jizz dickwad suck luser hannukah murder noose pervert
    molotov politic racis
    """
) + (
    "kick ass",
    "jerk off",
    "shut up",
    "screw you",
    "screw u",
    "f off",
    "kill your",
    "kill you",
    "kill him",
    "kill her",
    "kill them",
    "kill me",
    "kill myself",
    "shoot yourself",
    "shoot me",
    "die in",
    "hate you",
    "hate him",
    "christmas to all",
)
"""Left out wherever they stand, also inside other words."""

WORDS: Final = frozenset(
    _words(
        """
    ass asses arse arses azz a55 bs crap craps damn damned darn dang hell heck piss fag fags gay gays homo homos
    queer dyke tits tit butt butts anus anal cum cums cumming cock cocks dick dicks dik prick pricks twat twats
    knob wiener weiner schlong dong rape raped rapes sex nude nudes nazi nazis jew jews jewish muslim muslims
    islam allah christian christians jesus christ god gods satan devil pope bible church fu sob pos tard tards
    tosser shag shagged shagging hoe hoes pimp pimps thot coon coons chink chinks gook gooks spic spics paki
    pakis wop kike kikes kaffir gypsy gypsies drunk booze drugs lsd mdma ecstasy orgy bra bras panties underwear
    boner balls nutsack pube pubes snatch muff rimjob bum bums wuss pansy pussies shutup stf screwyou loser
    losers dork dorks noobs n00bs lamer lamers trump obama clinton israel palestine iraq war gun guns isis kkk
    bomb bombs wtf wth ffs omg meth weed spaz spastic wank wanker wankers mongol cripple midget kinky stoner fap
    fapping escort ripoff bloody bugger wtff wtfh roflmao cabron pendejo culo verga coño joder polla putain
    connard salope puta puto putas fotze hure arsch arschloch wichser schwanz ficken fick hoer klootzak
    godverdomme cazzo stronzo vaffanculo troia minchia caralho foda buceta porra viado blyat suka pizda huj chuj
    pierdol jebac vittu perkele saatana fitta jävla helvete kuk amina orospu siktir amk pron
    """
    )
)
"""Left out as whole words; too many good words hold them."""

IN_NAMES: Final = (
    "sex",
    "butt",
    "wtf",
    "poo",
    "ass_",
    "weed",
    "dick",
    "cock",
    "cum",
    "tits",
    "rape",
    "nazi",
    "piss",
    "crap",
    "damn",
    "whack",
    "killer",
    "satan",
)
"""Left out inside nicks, besides the stems."""

CHINESE: Final = _words(
    """
    操你 他妈 妈的 傻逼 傻b 傻叉 我靠 卧槽 屌 鸡巴 婊 妓 色情 做爱 强奸 性感
    自杀 毒品 混蛋 王八蛋 滚蛋 去死 脑残 白痴 智障
    """
)
