"""dbt's pages are kept once a state of the project, and ask for nothing that is not there."""

from pipelines.data.transform import docs
from pipelines.stores.objects import Objects

GENERATED = (
    '<head><title>dbt</title><link rel="shortcut icon" href="${require(\'favicon.ico\')}"/></head>'
    """<script>t='<use xlink:href="{{ icon }}"></use>'; u="<use xlink:href=\\"{{ icon }}\\">";"""
    """ v='<use xlink:href="#shape">'</script>"""
)


def test_the_page_asks_for_nothing_before_it_is_drawn(tmp_path):
    generated = tmp_path / "static_index.html"
    generated.write_text(GENERATED)
    docs.keep(Objects.at(str(tmp_path)), "loans", "abc", generated)
    kept = (tmp_path / "dbt" / "loans" / "index.html").read_text()
    assert kept == (
        "<head><title>dbt</title></head>"
        """<script>t='<use ng-attr-href="{{ icon }}"></use>'; """
        """u="<use ng-attr-href=\\"{{ icon }}\\">";"""
        """ v='<use xlink:href="#shape">'</script>"""
    )


def test_a_page_is_of_one_state_of_the_project(tmp_path):
    reports = Objects.at(str(tmp_path))
    assert not docs.is_kept(reports, "loans", "abc")
    (tmp_path / "page").write_text("")
    docs.keep(reports, "loans", "abc", tmp_path / "page")
    assert docs.is_kept(reports, "loans", "abc")
    assert not docs.is_kept(reports, "loans", "abd")
    assert not docs.is_kept(reports, "flight_delays", "abc")
