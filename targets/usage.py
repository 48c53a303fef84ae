"""Whether rows are referred to, from whatever floor: asked of the models, so that nothing here looks upward."""

from django.db import models


def used(model, pks):
    """Those of `pks` to which a protected foreign key or a many-to-many row of any app points."""
    found = set()
    for relation in model._meta.get_fields(include_hidden=True):
        if not relation.one_to_many:
            continue
        source = relation.related_model._meta.auto_created  # a many-to-many's own table: the side that holds it
        if relation.on_delete is models.PROTECT or (source and source is not model):
            name = relation.field.name
            rows = relation.related_model._base_manager.filter(**{f"{name}__in": pks})
            found |= set(rows.order_by().values_list(name, flat=True).distinct())
    return found
