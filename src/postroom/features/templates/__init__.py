"""The templates of a service, as the provider has them."""

from postroom.features.templates.catalogue import Catalogue
from postroom.features.templates.check import (
    TemplateCheck,
    check_discreet,
    check_template,
    check_values,
)

__all__ = ["Catalogue", "TemplateCheck", "check_discreet", "check_template", "check_values"]
