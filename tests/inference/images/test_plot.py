from PIL import Image

from inference.images.plot import Plot, plotted


def cell(colour: str, size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.new("RGB", size, colour)


def test_without_labels_the_pictures_stand_side_by_side() -> None:
    plot = Plot(["", ""], ["", ""], [[cell("red"), cell("lime")], [cell("blue"), None]])

    sheet = plotted([plot])

    assert sheet.size == (128, 96)
    places = [(10, 10), (74, 10), (10, 58), (74, 58)]
    assert [sheet.getpixel(place) for place in places] == [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]


def test_labels_stand_above_columns_and_beside_rows_in_ink() -> None:
    sheet = plotted([Plot(["Steps: 5", "Steps: 10"], ["Euler a"], [[cell("red"), cell("red")]])])

    left, top = sheet.width - 128, sheet.height - 48
    assert left > 0
    assert top > 0
    assert sheet.crop((left, 0, left + 64, top)).convert("L").getextrema()[0] < 100
    assert sheet.crop((0, top, left, sheet.height)).convert("L").getextrema()[0] < 100
    assert sheet.crop((0, 0, left, top)).convert("L").getextrema() == (255, 255)


def test_long_labels_are_broken_and_margins_kept() -> None:
    short = plotted([Plot(["a"], [""], [[cell("red")]])])
    long = plotted([Plot(["a label of a good many words", "b"], [""], [[cell("red"), cell("red")]])], margin=5)

    assert long.width == 64 + 5 + 64
    assert long.height > short.height


def test_sheets_stand_one_under_the_other_under_their_titles() -> None:
    plots = [Plot([""], [""], [[cell(colour)]], title=f"Seed: {colour}") for colour in ("red", "blue")]

    sheet = plotted(plots)

    assert sheet.getpixel((5, sheet.height // 2 - 5)) == (255, 0, 0)
    assert sheet.getpixel((5, sheet.height - 5)) == (0, 0, 255)


def test_smaller_pictures_get_the_room_of_the_largest() -> None:
    sheet = plotted([Plot(["", ""], [""], [[cell("red", (32, 32)), cell("blue")]])])

    assert sheet.size == (128, 48)
    assert sheet.getpixel((40, 40)) == (255, 255, 255)
