"""SQL of the company's settings."""

from __future__ import annotations

from hostwright.core.db import Command, Query, Scalar
from hostwright.settings.records import Company

company = Query(Company, "select name, brand_colour from company")
set_company = Command(
    """
    insert into company (name, brand_colour) values ($1, $2)
    on conflict (id) do update set name = excluded.name, brand_colour = excluded.brand_colour, updated_at = now()
    """
)
# Here and not in `setup`, since the first page, which is below that feature, leads there.
setup_is_open = Scalar(bool, "select exists (select from setup where finished_at is null)")
