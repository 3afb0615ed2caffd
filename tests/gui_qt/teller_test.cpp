// What the window tells of itself is what it shows.
#include "gui/qt/teller.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

#include "gui/qt/main_window.h"
#include "tests/gui_qt/window_room.h"

namespace mqlab::gui {
namespace {

QJsonObject read(const QString& file) { return QJsonDocument::fromJson(QByteArray::fromStdString(text_of_file(file))).object(); }

QRectF rectangle(const QJsonValue& v) {
  const QJsonArray a = v.toArray();
  return {a[0].toDouble(), a[1].toDouble(), a[2].toDouble(), a[3].toDouble()};
}

TEST(Teller, TellsWhatIsShownAndWhereWheneverTheWindowRests) {
  const QTemporaryDir folder;
  WindowSettings settings(folder.path() + "/w.ini");
  MainWindow w(&settings, {.scenario = source("scenarios/showcase.lua"), .case_name = "acks=1", .layout = "debug"});
  w.show();
  const QString file = folder.path() + "/told.json";
  new Teller(&w, file);
  ASSERT_TRUE(wait_until([&] { return read(file)["fingerprint"].isString(); }));
  const QJsonObject t = read(file);
  EXPECT_EQ(t["fingerprint"].toString().toStdString(), showcase()->result().fingerprint.text());
  EXPECT_EQ(t["seed"].toString(), "1");
  EXPECT_EQ(static_cast<std::size_t>(t["events"].toInteger()), showcase()->events());
  EXPECT_EQ(static_cast<std::size_t>(t["verdicts"].toArray().size()), showcase()->result().verdicts.size());
  EXPECT_FALSE(t["scenario"]["changed"].toBool());
  EXPECT_EQ(t["branches"].toArray().size(), 1);

  // A click on the middle of a node's rectangle is a click on the node.
  const PicturePane* topology = w.pictures().front();
  int nodes = 0;
  for (const QJsonValue& thing : t["canvases"]["topology"]["things"].toArray()) {
    if (thing["kind"].toString() != "node") continue;
    ++nodes;
    const QRectF r = rectangle(thing["rectangle"]);
    EXPECT_TRUE(rectangle(t["canvases"]["topology"]["rectangle"]).contains(r)) << thing["text"].toString().toStdString();
    const QPoint at = topology->canvas()->mapFromGlobal(r.center().toPoint());
    const auto under = entity_at(topology->canvas()->scene(), {static_cast<float>(at.x()), static_cast<float>(at.y())});
    ASSERT_TRUE(under);
    EXPECT_EQ(*under, EntityId::node(thing["a"].toString().toULongLong()));
  }
  EXPECT_EQ(nodes, 6);

  // It is told anew when something is different, and only then.
  w.workspace().step(1);
  ASSERT_TRUE(wait_until([&] { return read(file)["event"].toInteger() == 1; }));
  const QDateTime written = QFileInfo(file).lastModified();
  QTest::qWait(300);
  EXPECT_EQ(QFileInfo(file).lastModified(), written);
}

}  // namespace
}  // namespace mqlab::gui
