"""What belongs to the form: files of evidence, and what somebody is typing."""

import uuid

from django.conf import settings
from django.db import models

from activities import querysets
from activities.models.records import Activity


def evidence_path(evidence, name):
    """Where a file of evidence is stored: a random name, so that nobody guesses it and no name collides."""
    return f"minh-chung/{uuid.uuid4().hex}"


class Evidence(models.Model):
    """Minh chứng: a photo or document of an activity, checked and re-encoded (`unionwork.uploads`).

    Sent while the form is still being filled: `key` names the file (so that a retry adds nothing), `form_key` the form;
    `activity` follows when the form is saved. `perceptual` is a 64-bit picture hash in hex.
    """

    key = models.UUIDField(unique=True)
    form_key = models.UUIDField(db_index=True)
    activity = models.ForeignKey(Activity, models.PROTECT, null=True, related_name="evidence")
    file = models.FileField("tệp", upload_to=evidence_path)
    thumbnail = models.FileField("ảnh nhỏ", upload_to=evidence_path, blank=True)
    name = models.CharField("tên tệp", max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField("dung lượng")
    sha256 = models.CharField(max_length=64, db_index=True)
    perceptual = models.CharField(max_length=16, blank=True, db_index=True)
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = querysets.EvidenceQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "minh chứng"

    def __str__(self):
        return self.name

    @property
    def extension(self):
        """Of the name, which was given by what the file holds."""
        return self.name.rpartition(".")[2]


class FormDraft(models.Model):
    """What somebody is typing into the form of an activity, so that it goes on on another device. Gone when sent.

    `data`: {field name: [texts]} as the form sends them; `version` finds a draft that another device wrote meanwhile.
    """

    key = models.UUIDField(unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    title = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at", "-pk"]
        verbose_name = "bản đang nhập"

    def __str__(self):
        return self.title
