"""Times as a person reads them, in the catalogue's language and the machine's time zone."""

from datetime import datetime, timedelta, tzinfo

from tui_chat.locale import _
from tui_chat.tui.safe import Safe, fill, line, own

from .cells import width


class Times:
    """Writes times; knows which day is today. Make a new one when the day changes."""

    def __init__(self, now: int, zone: tzinfo | None = None) -> None:
        """`now` in milliseconds since 1970; `zone` None is the machine's."""
        self._zone = zone
        weekdays = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
        self._weekdays = [line(name) for name in weekdays]
        self._days = [
            _("Monday"),
            _("Tuesday"),
            _("Wednesday"),
            _("Thursday"),
            _("Friday"),
            _("Saturday"),
            _("Sunday"),
        ]
        self._months = [
            *(_("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun")),
            *(_("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec")),
        ]
        self._long_months = [
            *(_("January"), _("February"), _("March"), _("April"), _("May"), _("June")),
            *(_("July"), _("August"), _("September"), _("October"), _("November"), _("December")),
        ]
        self.today = self._local(now).date()
        samples = [*self._weekdays, own("00:00"), *(self._date(28, month, 2000) for month in range(1, 13))]
        self.column = max(map(width, samples))
        """Cells that `short` takes at most."""

    def ordinal(self, time: int) -> int:
        """The day's number, for telling days apart."""
        return self._local(time).toordinal()

    def clock(self, time: int) -> Safe:
        """12:41"""
        return own(self._local(time).strftime("%H:%M"))

    def short(self, time: int) -> Safe:
        """12:41 today, Mon within the week, 18 Nov within the year, else the year; empty for 0."""
        if not time:
            return own("")
        then = self._local(time)
        age = self.today - then.date()
        if age <= timedelta(0):
            return self.clock(time)
        if age < timedelta(7):
            return self._weekdays[then.weekday()]
        if age < timedelta(330):
            return self._date(then.day, then.month, then.year)
        return fill("{year}", year=then.year)

    def day(self, time: int) -> Safe:
        """Tuesday 18 November, with the year where it is another one."""
        then = self._local(time)
        year = then.year
        pattern = _("{weekday} {day} {month}") if year == self.today.year else _("{weekday} {day} {month} {year}")
        return fill(
            pattern,
            weekday=self._days[then.weekday()],
            day=then.day,
            month=self._long_months[then.month - 1],
            month_number=then.month,
            year=year,
        )

    def _date(self, day: int, month: int, year: int) -> Safe:
        return fill(
            _("{day} {short_month}"), day=day, short_month=self._months[month - 1], month_number=month, year=year
        )

    def _local(self, time: int) -> datetime:
        return datetime.fromtimestamp(time / 1000, self._zone)
