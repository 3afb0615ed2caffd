#include "gui/qt/scenario_files.h"

#include <QFile>
#include <QObject>
#include <QRegularExpression>
#include <QStringList>

namespace mqlab::gui {
namespace {

constexpr const char* first_text = R"(-- What happens to orders when the broker that leads them dies?
return scenario {
  title = "My first scenario",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = seconds(1), start_at = seconds(5), acks = "1" },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(10), power "leader orders/0" { duration = seconds(20) }),
  },
  run_for = seconds(60),
  expect = { reaches "leader_elected" },
}
)";

}  // namespace

QString read_scenario(const QString& path, QString* wrong) {
  QFile f(path);
  if (!f.open(QIODevice::ReadOnly)) {
    *wrong = QObject::tr("%1 can't be read: %2").arg(path, f.errorString());
    return {};
  }
  if (f.size() > scenario_bytes_max) {
    *wrong = QObject::tr("%1 is too big to be a scenario").arg(path);
    return {};
  }
  return QString::fromUtf8(f.readAll());
}

QString title_of(const QString& text) {
  static const QRegularExpression title(QStringLiteral(R"(\btitle\s*=\s*"([^"]*)\")"));
  const auto m = title.match(text);
  return m.hasMatch() ? m.captured(1) : QString();
}

QString head_comment(const QString& text) {
  QStringList lines;
  for (const QString& l : text.split('\n')) {
    if (!l.startsWith("--")) break;
    lines << l.mid(2).trimmed();
  }
  return lines.join('\n');
}

QString first_scenario() { return QString::fromUtf8(first_text); }

}  // namespace mqlab::gui
