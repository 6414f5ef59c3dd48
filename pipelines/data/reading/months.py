"""The names of months, long and short, as the larger languages of Europe write them in dates."""

from collections.abc import Mapping

# No name is of two months in two of them. Where a date has a case of its own, such as in Polish
# and Russian, that one is here.
_NAMES = """
january jan januar jän jänner janvier janv enero ene gennaio gen januari janeiro stycznia sty
    января янв
february feb februar février fevrier févr fevr fév febrero febbraio februari fevereiro fev lutego
    lut февраля фев
march mar märz maerz mär mrz mars marzo maart mrt março marco marts marca марта мар
april apr avril avr abril abr aprile kwietnia kwi апреля апр
may mai mayo maggio mag mei maio maj maja мая май
june jun juni juin junio giugno giu junho czerwca cze июня июн
july jul juli juillet juil julio luglio lug julho lipca lip июля июл
august aug août aout agosto ago augustus augusti sierpnia sie августа авг
september sep sept septembre septiembre setiembre settembre set setembro września wrz сентября сен
october oct oktober okt octobre octubre ottobre ott outubro out października paź октября окт
november nov novembre noviembre novembro listopada lis ноября ноя
december dec dezember dez décembre decembre déc diciembre dic dicembre dezembro desember des
    grudnia gru декабря дек
""".replace("\n    ", " ")
MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(_NAMES.strip().splitlines(), start=1)
    for name in names.split()
}
