"""A year of a khối with every kind of record, for the report, its workbook and its JSON."""

from datetime import date

from activities import review
from activities.models import ActivityKind
from targets.models import Indicator, Nature
from tests.factories import (
    approve,
    assign,
    build_once,
    make_activity,
    make_indicator,
    make_target,
    make_unit,
    make_user,
)
from units import access

DAY = date(2024, 3, 26)


def indicator(code):
    return Indicator.objects.get(code=code)


class Year:
    """k1 with b11 (a chi đoàn below), b12 and the school s1; joint work with b21 of k2. See each line."""

    def __init__(self, world):
        build_once(self, lambda: self._build(world), over=world)

    def _build(self, world):
        self.world = world
        self.boss = make_user("boss", access.SECRETARY, world.tw)
        self.branch = make_unit("lop", "chi-doan", world.b11, name="Chi đoàn 1")
        self.school = make_unit("s1", "doan-co-so", world.k1, name="Đoàn trường", sector="trường học")
        self.roads = indicator("duong-lam-moi")
        self.learned = make_indicator("thu-da-hoc", Nature.STOCK, unit_of_measure="người")
        self._targets()
        self._records()

    def _targets(self):
        world = self.world
        given = make_target(
            world.p1,
            2024,
            [{"kind": "total", "value": 500, "indicators": [world.trees], "text": "Trồng cây xanh"}],
            number=1,
            text="Trồng mới 500 cây xanh",
        )
        assign(given.measures.get(), world.k1, 100, registered=120)
        assign(given.measures.get(), world.b11, 40)
        make_target(
            world.k1,
            2024,
            [
                {"kind": "rate", "value": 6650, "indicators": [self.learned], "denominators": [world.members]},
                {"kind": "coverage", "value": 10_000, "floor": 3, "indicators": [world.trees]},
            ],
            number=2,
            text="Học tập nghị quyết; mỗi cơ sở trồng ít nhất 3 cây",
        )
        self.milestone = make_target(
            world.k1, 2024, [{"kind": "milestone", "deadline": date(2024, 5, 31)}], number=3, text="Hoàn thành đại hội"
        ).measures.get()
        make_target(
            world.k1, 2024, [{"kind": "total", "value": 2550, "indicators": [self.roads]}], number=4, text="25,5 km"
        )
        make_target(world.k1, 2024, [{"kind": "total", "value": 5, "indicators": [indicator("sang-kien")]}], number=5)

    def _records(self):
        world = self.world
        self.record(world.b11, world.planting, {world.trees: 70}, hosts=[world.b12, world.b21])  # counts 70 in k1
        self.record(world.b12, world.planting, {world.trees: 20})
        self.record(self.branch, world.planting, {world.trees: 2})
        self.record(world.k1, world.planting, {world.trees: 11}, hosts=[world.b12])
        self.record(world.b21, world.planting, {world.trees: 999})
        works = ActivityKind.objects.get(code="cong-trinh")
        for unit, level, value in (
            (world.b11, "base", 10_000_000),
            (world.b11, "district", 200_000_000),
            (world.k1, "province", 500_000_000),
            (world.k1, "district", None),
        ):
            figures = {indicator("tri-gia-cong-trinh"): value} if value else {}
            self.record(unit, works, figures, work_level=level)
        self.record(world.b12, world.planting, {indicator("tri-gia-cong-trinh-phan-viec"): 10_000_000})
        infrastructure = ActivityKind.objects.get(code="ha-tang-moi-truong")
        self.record(world.b12, infrastructure, {self.roads: 1240})
        self.record(world.b11, infrastructure, {self.roads: 1000}, day=date(2024, 11, 3))
        for unit, learned, members in ((world.b11, 90, 100), (world.b12, 43, 100)):
            self.record(unit, world.declaring, {self.learned: learned, world.members: members})
        kind = ActivityKind.objects.get(code="moc")
        self.record(world.b11, kind, milestone=self.milestone, document="QĐ 01")
        waiting = make_activity(world.b12, world.cadre, world.planting, {world.trees: 5000}, DAY)
        review.submit(activity=waiting, actor=world.cadre)

    def record(self, unit, kind, figures=None, day=DAY, **fields):
        return approve(make_activity(unit, self.world.cadre, kind, figures, day, **fields), self.boss)
