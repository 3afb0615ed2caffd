// Any picture can be had as a file, whole or not at all.
#include "gui/qt/save_picture.h"

#include <gtest/gtest.h>

#include <QFile>
#include <QImage>
#include <QTemporaryDir>

namespace mqlab::gui {
namespace {

Scene small() {
  Scene s(120, 60);
  s.fill({10, 10, 40, 20}, Ink::fault);
  s.text({60, 10}, "B1 <&>", Ink::text);
  return s;
}

TEST(SavePicture, AsSvgAndAsPng) {
  const QTemporaryDir folder;
  ASSERT_EQ(save_picture(small(), Theme::dark, "Topology", folder.path() + "/a.SVG"), QString());
  QFile svg(folder.path() + "/a.SVG");
  ASSERT_TRUE(svg.open(QIODevice::ReadOnly));
  const QByteArray text = svg.readAll();
  EXPECT_TRUE(text.contains("<svg"));
  EXPECT_TRUE(text.contains("B1 &lt;&amp;&gt;"));
  EXPECT_TRUE(text.contains("Topology"));

  ASSERT_EQ(save_picture(small(), Theme::light, "Topology", folder.path() + "/a.png"), QString());
  const QImage png(folder.path() + "/a.png");
  EXPECT_EQ(png.size(), QSize(240, 120));
  const Rgba red = colour(Ink::fault, Theme::light);
  EXPECT_EQ(png.pixelColor(60, 40), QColor(red.r, red.g, red.b));
}

TEST(SavePicture, SaysWhyNot) {
  EXPECT_FALSE(save_picture(small(), Theme::light, "x", "/nowhere/at/all.svg").isEmpty());
  const QTemporaryDir folder;
  EXPECT_FALSE(save_picture(Scene(0, 0), Theme::light, "x", folder.path() + "/b.png").isEmpty());
  EXPECT_FALSE(QFile::exists(folder.path() + "/b.png"));
}

}  // namespace
}  // namespace mqlab::gui
