"""Choose what stands in the demo's mailbox: the big channels, the small ones about one thing, the one-to-one talks."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from . import threads
from .corpus import Corpus, Line, Sitting

ALICE: Final = "alice"
BOB: Final = "bob"
CAROL: Final = "carol"

PEOPLE: Final = (
    "actionparsnip",
    "dr_willis",
    "seveas",
    "ikonia",
    "bazhang",
    "cfhowlett",
    "daftykins",
    "jrib",
    "lotuspsychje",
    "eric^^",
    "histo",
    "gnea",
    "maco",
    "thoreauputic",
    "edbian",
    "nickrud",
    "ljl",
    "tritium",
    "k1l",
    "wilee-nilee",
    "soundray",
    "sethk",
    "tj-",
    "tonren",
    "bob2",
    "gnomefreak",
    "oerheks",
    "jordan_u",
    "pelo",
    "arrenlex",
    "bekks",
    "monkeydust",
)
"""Folded nicks of people who wrote much and with many. Wherever alice stands, she has the place of one of them."""

FRIENDS: Final = {"jorell": BOB, "ana": CAROL}
"""Two who wrote long with one of PEOPLE, and whose talk one likes to read; they are bob and carol."""

_RELEASES: Final = (
    ("hoary", "2004-12"),
    ("breezy", "2005-05"),
    ("dapper", "2005-11"),
    ("edgy", "2006-06"),
    ("feisty", "2006-11"),
    ("gutsy", "2007-06"),
    ("hardy", "2007-12"),
    ("intrepid", "2008-06"),
    ("jaunty", "2009-01"),
    ("karmic", "2009-06"),
    ("lucid", "2010-01"),
    ("maverick", "2010-06"),
    ("natty", "2011-01"),
    ("oneiric", "2011-08"),
    ("precise", "2012-02"),
    ("quantal", "2012-06"),
    ("raring", "2013-01"),
    ("saucy", "2013-07"),
    ("trusty", "2014-01"),
    ("utopic", "2014-08"),
    ("vivid", "2015-01"),
    ("wily", "2015-08"),
    ("", "2017-01"),
)
"""The channel was one; it is told apart by the Ubuntu release of the time. The last name is `#ubuntu` itself."""

_TOPICS: Final = {
    "wifi": "wifi|wi-fi|wireless|wlan0?|ndiswrapper|iwconfig|broadcom|b43|madwifi|atheros|ipw2200",
    "nvidia": "nvidia|geforce|nvidia-glx|nouveau|nvidia-settings",
    "ati": "ati|fglrx|radeon|catalyst|amd",
    "sound": "sound|alsa|alsamixer|pulseaudio|speakers?|microphone|volume|audio|oss|headphones?",
    "grub": "grub|grub2|menu.lst|bootloader|mbr|update-grub|boot-repair|lilo",
    "flash": "flash|gnash|youtube|flashplugin-nonfree",
    "compiz": "compiz|beryl|xgl|aiglx|cube|desktop effects|emerald|wobbly",
    "wine": "wine|winecfg|directx|cedega|playonlinux",
    "samba": "samba|smb|cifs|smbfs|workgroup|smb.conf|shares?",
    "printing": "print|printer|printers|printing|cups|hplip|ppd|scanner",
    "ssh": "ssh|sshd|openssh|putty|scp|sftp|port 22|authorized_keys",
    "raid": "raid|mdadm|lvm|raid1|raid5|lv|pv|vg",
    "encryption": "encrypt|encrypted|encryption|luks|truecrypt|gpg|cryptsetup|passphrase|ecryptfs",
    "editors": "vim|vi|emacs|nano|gedit|editor",
    "python": "python|python3|pip|ruby|perl|rails",
    "games": "games?|steam|quake|doom|warcraft|tremulous|opengl|fps",
    "kde": "kde|kubuntu|konqueror|kwin|plasma|amarok|konsole|kdm",
    "xfce": "xfce|xubuntu|thunar|xfce4|lubuntu|lxde|fluxbox|openbox",
    "servers": "server|apache|apache2|nginx|lamp|httpd|vhost|/var/www",
    "laptops": "laptop|battery|suspend|hibernate|touchpad|synaptics|thinkpad|brightness|lid",
    "usb": "usb|flash drive|pendrive|lsusb|unetbootin|external|startup disk",
    "burning": "burn|burning|cd|dvd|iso|k3b|brasero|nero|cdrom",
    "codecs": "mp3|codecs?|w32codecs|mplayer|vlc|totem|xine|gstreamer|dvd playback|libdvdcss2",
    "java": "java|jre|jdk|sun-java6|openjdk|eclipse|tomcat",
    "browsers": "firefox|browser|chrome|chromium|opera|bookmarks|extension",
    "mail": "mail|thunderbird|evolution|postfix|sendmail|imap|smtp|mutt",
    "databases": "mysql|postgres|database|phpmyadmin|sql|mysqld|php",
    "shell": "bash|script|shell|sed|awk|grep|cron|crontab|alias|bashrc|zsh",
    "kernel": "kernel|kernels|modules?|modprobe|linux-image|compile|dkms|initrd",
    "partitions": "partition|partitions|gparted|ntfs|ext3|ext4|fdisk|swap|fstab|resize|mount",
    "display": "xorg|xorg.conf|resolution|monitor|xrandr|screen|refresh|dpi|projector",
    "routers": "router|dhcp|dns|gateway|eth0|ethernet|ifconfig|modem|nic|network-manager|firewall|ufw|iptables",
    "packages": "apt|apt-get|dpkg|synaptic|aptitude|repos?|repositories|sources.list|ppa|dependencies|deb|universe",
    "virtual": "virtualbox|vmware|vm|qemu|kvm|virtual machine|guest additions|vbox|xen",
}
"""Small groups about one thing, and the words that tell of it."""


class Talk(NamedTuple):
    """Somebody's one-to-one talk with alice: `threads` in order of time, speakers already ALICE or `partner`."""

    partner: str
    threads: tuple[tuple[Line, ...], ...]


class Channel(NamedTuple):
    """A group's talk: `parts` in order of time, speakers already named as in the demo."""

    name: str
    parts: tuple[tuple[Line, ...], ...]


class Choice(NamedTuple):
    """All that was chosen of the IRC corpus."""

    channels: tuple[Channel, ...]
    topics: tuple[Channel, ...]
    talks: tuple[Talk, ...]


def choose(corpus: Corpus, *, lines_a_channel: int, lines_a_topic: int, lines_in_main: int) -> Choice:
    """Divide the sittings: some whole to the channels, the others by threads. No line is used twice."""
    sittings = list(enumerate(corpus.sittings))
    channels, used = _channels(sittings, lines_a_channel, lines_in_main)
    rest = [(number, sitting) for number, sitting in sittings if number not in used]
    talks, spent = _talks(rest)
    return Choice(channels, _topics(rest, spent, lines_a_topic), talks)


def as_seen(lines: Sequence[Line], person: str | None) -> tuple[Line, ...]:
    """The lines with alice in the place of `person` and FRIENDS under their names here, in the texts as well."""
    names = dict(FRIENDS)
    if person is not None:
        names[person] = ALICE
    pattern = _names_pattern(names)

    def rename(text: str) -> str:
        return pattern.sub(lambda found: names.get(found[0].lower().rstrip("_"), found[0]), text)

    return tuple(
        line._replace(
            speaker=names.get(line.speaker, line.speaker),
            to=names.get(line.to, line.to) if line.to else None,
            text=rename(line.text),
            whole=rename(line.whole),
        )
        for line in lines
    )


def _names_pattern(names: Mapping[str, str]) -> re.Pattern[str]:
    spelled = "|".join(re.escape(name) + "_*" for name in sorted(names))
    return re.compile(rf"(?<![\w\-])(?:{spelled})(?![\w\-])", re.IGNORECASE)


def _channels(
    sittings: Sequence[tuple[int, Sitting]], lines_a_channel: int, lines_in_main: int
) -> tuple[tuple[Channel, ...], set[int]]:
    used: set[int] = set()
    channels = []
    for index, (release, since) in enumerate(_RELEASES):
        until = _RELEASES[index + 1][1] if index + 1 < len(_RELEASES) else "9999"
        of_release = [(n, s) for n, s in sittings if since <= _month(s.start) < until and s.lines]
        if not of_release:
            continue
        if release:
            chosen = [max(of_release, key=lambda entry: (_liveliness(entry[1]), entry[0]))]
            most = lines_a_channel
        else:
            chosen = of_release[-4:]
            most = lines_in_main
        used.update(n for n, _ in chosen)
        parts = [as_seen(s.lines, threads.most_present(s, PEOPLE)) for _, s in chosen]
        if release:
            parts = [_with_alice(parts[0], most)]
        channels.append(Channel(f"#ubuntu-{release}" if release else "#ubuntu", _newest(parts, most)))
    return tuple(channels), used


def _newest(parts: Sequence[tuple[Line, ...]], most: int) -> tuple[tuple[Line, ...], ...]:
    kept: list[tuple[Line, ...]] = []
    for part in reversed(parts):
        room = most - sum(map(len, kept))
        if room > 0:
            kept.append(part[-room:])
    return tuple(reversed(kept))


def _with_alice(lines: tuple[Line, ...], most: int) -> tuple[Line, ...]:
    """The stretch of `most` lines in which alice takes part most."""
    step = max(1, most // 10)
    starts = range(0, max(1, len(lines) - most + 1), step)
    best = max(starts, key=lambda start: sum(1 for line in lines[start : start + most] if ALICE in line[2:4]))
    return lines[best : best + most]


def _liveliness(sitting: Sitting) -> int:
    """How much a sitting is of people who talk with one another, rather than past one another."""
    return sum(1 for line in sitting.lines if line.to)


def _talks(sittings: Sequence[tuple[int, Sitting]]) -> tuple[tuple[Talk, ...], set[tuple[int, int]]]:
    """Everyone who talked with one of PEOPLE. A line belongs to one talk."""
    spent: set[tuple[int, int]] = set()
    talks: dict[str, list[tuple[Line, ...]]] = {}
    for number, sitting in sittings:
        for person in PEOPLE:
            for partner in threads.partners(sitting, person, (*PEOPLE, ALICE, BOB, CAROL)):
                thread = threads.between(sitting, number, person, partner)
                lines = [line for line in thread.lines if (number, line.number) not in spent]
                spent.update((number, line.number) for line in lines)
                if lines:
                    talks.setdefault(FRIENDS.get(partner, partner), []).append(as_seen(lines, person))
    return tuple(Talk(partner, tuple(talks[partner])) for partner in sorted(talks)), spent


def _topics(
    sittings: Sequence[tuple[int, Sitting]], spent: set[tuple[int, int]], lines_a_topic: int
) -> tuple[Channel, ...]:
    patterns = {topic: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) for topic, words in _TOPICS.items()}
    found: dict[str, list[tuple[float, tuple[Line, ...]]]] = {topic: [] for topic in _TOPICS}
    for number, sitting in sittings:
        for thread in threads.disentangle(sitting, number):
            lines = [line for line in thread.lines if (number, line.number) not in spent]
            if not 8 <= len(lines) <= 60 or len(threads.speakers(lines)) < 3:
                continue
            share, topic = max(
                (sum(1 for line in lines if pattern.search(line.text)) / len(lines), topic)
                for topic, pattern in patterns.items()
            )
            if share >= 0.15:
                wrote = threads.speakers(lines)
                person = max((p for p in PEOPLE if p in wrote), key=lambda p: wrote[p], default=None)
                found[topic].append((share + (0.5 if person else 0.0), as_seen(lines, person)))
    return tuple(Channel(f"#{topic}", _best(parts, lines_a_topic)) for topic, parts in found.items() if len(parts) > 1)


def _best(parts: Sequence[tuple[float, tuple[Line, ...]]], most: int) -> tuple[tuple[Line, ...], ...]:
    """The parts with most of the topic in them, up to `most` lines, in order of time."""
    chosen: list[tuple[Line, ...]] = []
    for _, lines in sorted(parts, key=lambda part: (-part[0], part[1][0].time)):
        if sum(map(len, chosen)) + len(lines) <= most:
            chosen.append(lines)
    return tuple(sorted(chosen, key=lambda lines: (lines[0].time, lines[0].number)))


def _month(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m")
