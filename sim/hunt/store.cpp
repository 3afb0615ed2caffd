#include "sim/hunt/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "sim/lab/scenario.h"

namespace mqlab {
namespace {

constexpr const char* format = "mqlab-campaign/2";

// WITHOUT ROWID: rows stand by seed, and a campaign is read by seed.
constexpr const char* schema = R"(
CREATE TABLE campaign (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE targets (id INTEGER PRIMARY KEY, label TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE goals (id INTEGER PRIMARY KEY, name TEXT NOT NULL, units INTEGER NOT NULL DEFAULT 0, first_seed INTEGER);
CREATE TABLE units (
  seed INTEGER NOT NULL, target INTEGER NOT NULL, runs INTEGER NOT NULL, schedules INTEGER NOT NULL, events INTEGER NOT NULL,
  fingerprint TEXT NOT NULL, verdict TEXT NOT NULL, goals BLOB NOT NULL, PRIMARY KEY (seed, target)) WITHOUT ROWID;
CREATE TABLE signatures (id TEXT PRIMARY KEY, anomaly TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE breaches (
  signature TEXT NOT NULL, seed INTEGER NOT NULL, target INTEGER NOT NULL, sentence TEXT NOT NULL,
  PRIMARY KEY (signature, seed, target)) WITHOUT ROWID;
CREATE INDEX breaches_of_a_unit ON breaches (seed, target);
CREATE TABLE stories (
  signature TEXT PRIMARY KEY, seed INTEGER NOT NULL, target INTEGER NOT NULL, lua TEXT NOT NULL, size TEXT NOT NULL, note TEXT NOT NULL,
  finished INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (id INTEGER PRIMARY KEY, jobs INTEGER NOT NULL, units INTEGER NOT NULL, seconds REAL NOT NULL);
)";

constexpr std::array<const char*, 3> verdicts{"holds", "violated", "untested"};

UnitVerdict verdict_of(const std::string& name) {
  const auto it = std::find(verdicts.begin(), verdicts.end(), name);
  return static_cast<UnitVerdict>(it == verdicts.end() ? 2 : it - verdicts.begin());
}

// One bit a goal, the first in the lowest bit of the first byte.
std::string bits(const std::vector<std::uint32_t>& goals) {
  std::string bytes(goals.empty() ? 0 : goals.back() / 8 + 1, '\0');
  for (const std::uint32_t g : goals) bytes[g / 8] = static_cast<char>(static_cast<unsigned char>(bytes[g / 8]) | (1U << (g % 8)));
  return bytes;
}

std::vector<std::uint32_t> goals_in(const std::string& bytes) {
  std::vector<std::uint32_t> goals;
  for (std::uint32_t i = 0; i < bytes.size() * 8; ++i)
    if ((static_cast<unsigned char>(bytes[i / 8]) >> (i % 8)) & 1U) goals.push_back(i);
  return goals;
}

std::string shown(const std::string& value) { return value.empty() ? "nothing" : fmt::format("`{}`", value.substr(0, 200)); }

}  // namespace

const char* unit_verdict_name(UnitVerdict v) { return verdicts[static_cast<std::size_t>(v)]; }

std::string difference(const Manifest& there, const Manifest& asked, bool with_shard) {
  for (const auto& [key, value] : asked.said) {
    const auto it = std::find_if(there.said.begin(), there.said.end(), [&key = key](const auto& e) { return e.first == key; });
    const std::string before = it == there.said.end() ? "" : it->second;
    if (before != value) return fmt::format("its {} is {}, and now it is {}", key, shown(before), shown(value));
  }
  if (with_shard && there.shard != asked.shard) return fmt::format("its shard is {}, and now it is {}", shown(there.shard), shown(asked.shard));
  for (std::size_t i = 0; i < std::max(there.targets.size(), asked.targets.size()); ++i) {
    const std::string before = i < there.targets.size() ? there.targets[i].label : "";
    const std::string now = i < asked.targets.size() ? asked.targets[i].label : "";
    if (before != now) return fmt::format("it runs {}, and now it is {}", shown(before), shown(now));
    if (there.targets[i].text != asked.targets[i].text) return fmt::format("the text of {} has changed since", shown(now));
  }
  if (there.goals != asked.goals) return "it counts other goals";
  return {};
}

// SQLite would let two campaigns take turns on one file, and both would do everything.
struct Store::Lock {
  int file = -1;
  explicit Lock(const std::string& path) {
    if (path == ":memory:") return;
    file = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (file < 0) throw InputError("", 0, fmt::format("{}: it can't be written: {}", path, std::strerror(errno)));
    if (flock(file, LOCK_EX | LOCK_NB) == 0) return;
    close(file);
    throw InputError("", 0, fmt::format("another mqlab is at work on {}: wait for its end, or choose another --out", path.substr(0, path.rfind('.'))));
  }
  ~Lock() {
    if (file >= 0) close(file);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
};

struct Store::Statements {
  Statement unit, breach, signature, goal, session, read_unit, read_breaches;
  explicit Statements(const SqliteFile& db)
      : unit(db, "INSERT INTO units VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
        breach(db, "INSERT INTO breaches VALUES (?, ?, ?, ?)"),
        signature(db, "INSERT OR IGNORE INTO signatures VALUES (?, ?, ?)"),
        goal(db, "UPDATE goals SET units = units + 1, first_seed = min(coalesce(first_seed, ?1), ?1) WHERE id = ?2"),
        session(db, "UPDATE sessions SET units = units + ?, seconds = seconds + ? WHERE id = ?"),
        read_unit(db, "SELECT runs, schedules, events, fingerprint, verdict, goals FROM units WHERE seed = ? AND target = ?"),
        read_breaches(db, "SELECT signature, anomaly, text, sentence FROM breaches JOIN signatures ON id = signature WHERE seed = ? AND target = ? ORDER BY signature") {}
};

namespace {
std::string lock_path(const std::string& path) { return path == ":memory:" ? path : path + ".lock"; }

std::string existing(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) throw InputError("", 0, fmt::format("{}: there is no such campaign", path));
  return path;
}
}  // namespace

Store::Store(const std::string& path, const Manifest& manifest) : lock_(std::make_unique<Lock>(lock_path(path))), db_(path) {
  prepare_file();
  if (total("SELECT count(*) FROM sqlite_schema") == 0) create(manifest);
  read_manifest();
  if (const std::string what = difference(manifest_, manifest, true); !what.empty())
    throw InputError("", 0, fmt::format("{} holds another campaign: {}. Go on with it as it was begun, or choose another --out", path, what));
  statements_ = std::make_unique<Statements>(db_);
}

Store::Store(const std::string& path) : lock_(std::make_unique<Lock>(lock_path(existing(path)))), db_(path) {
  prepare_file();
  read_manifest();
  statements_ = std::make_unique<Statements>(db_);
}

Store::~Store() = default;

// FULL: what is told as finished has reached the disk, also when the machine loses its power.
void Store::prepare_file() {
  db_.execute("PRAGMA journal_mode = WAL");
  db_.execute("PRAGMA synchronous = FULL");
}

void Store::create(const Manifest& m) {
  Transaction t(db_);
  db_.execute(schema);
  Statement said(db_, "INSERT INTO campaign VALUES (?, ?)");
  said.bind(1, "format").bind(2, format).run();
  said.bind(1, "shard").bind(2, m.shard).run();
  for (const auto& [key, value] : m.said) said.bind(1, key).bind(2, value).run();
  Statement target(db_, "INSERT INTO targets VALUES (?, ?, ?)");
  for (std::size_t i = 0; i < m.targets.size(); ++i) target.bind(1, std::uint64_t{i}).bind(2, m.targets[i].label).bind(3, m.targets[i].text).run();
  Statement goal(db_, "INSERT INTO goals (id, name) VALUES (?, ?)");
  for (std::size_t i = 0; i < m.goals.size(); ++i) goal.bind(1, std::uint64_t{i}).bind(2, m.goals[i]).run();
  t.commit();
}

void Store::read_manifest() {
  if (total("SELECT count(*) FROM sqlite_schema WHERE name = 'campaign'") == 0) throw InputError("", 0, fmt::format("{} is a database of something else: choose another --out", db_.path()));
  std::string found;
  for (Statement s(db_, "SELECT key, value FROM campaign"); s.row();) {
    if (s.text(0) == "format") found = s.text(1);
    else if (s.text(0) == "shard") manifest_.shard = s.text(1);
    else manifest_.said.emplace_back(s.text(0), s.text(1));
  }
  if (found != format) throw InputError("", 0, fmt::format("{} is of format {}, and this mqlab writes {}: begin a new one", db_.path(), shown(found), format));
  for (Statement s(db_, "SELECT label, text FROM targets ORDER BY id"); s.row();) manifest_.targets.push_back({s.text(0), s.text(1)});
  for (Statement s(db_, "SELECT name FROM goals ORDER BY id"); s.row();) manifest_.goals.push_back(s.text(0));
}

void Store::insert(const UnitRow& r) {
  Statements& s = *statements_;
  s.unit.bind(1, r.seed).bind(2, std::uint64_t{r.target}).bind(3, r.runs).bind(4, r.schedules).bind(5, r.events).bind(6, r.fingerprint).bind(7, unit_verdict_name(r.verdict)).bind_bytes(8, bits(r.goals)).run();
  for (const std::uint32_t g : r.goals) s.goal.bind(1, r.seed).bind(2, std::uint64_t{g}).run();
  for (const UnitBreach& b : r.breaches) {
    s.signature.bind(1, b.id).bind(2, b.anomaly).bind(3, b.text).run();
    s.breach.bind(1, b.id).bind(2, r.seed).bind(3, std::uint64_t{r.target}).bind(4, b.sentence).run();
  }
}

void Store::write(const std::vector<UnitRow>& rows, const Session& session) {
  Transaction t(db_);
  std::uint64_t number = session_;
  if (number == 0) {
    Statement(db_, "INSERT INTO sessions (jobs, units, seconds) VALUES (?, 0, 0)").bind(1, session.jobs).run();
    number = total("SELECT max(id) FROM sessions");
  }
  for (const UnitRow& r : rows) insert(r);
  statements_->session.bind(1, std::uint64_t{rows.size()}).bind_seconds(2, session.seconds).bind(3, number).run();
  t.commit();
  session_ = number;
}

void Store::insert(const std::string& group, const Story& y) {
  Statement(db_, "INSERT OR REPLACE INTO stories VALUES (?, ?, ?, ?, ?, ?, ?)").bind(1, group).bind(2, y.seed).bind(3, std::uint64_t{y.target}).bind(4, y.lua).bind(5, y.size).bind(6, y.note).bind(7, std::uint64_t{y.finished}).run();
}

void Store::keep(const std::string& group, const Story& y) {
  Transaction t(db_);
  insert(group, y);
  t.commit();
}

std::optional<std::pair<std::uint64_t, std::uint32_t>> Store::merge(Store& other) {
  if (const std::string what = difference(other.manifest_, manifest_, false); !what.empty())
    throw InputError("", 0, fmt::format("{} holds another campaign than {}: {}", other.db_.path(), db_.path(), what));
  Transaction t(db_);
  std::optional<std::pair<std::uint64_t, std::uint32_t>> differs;
  other.each([&](const UnitRow& theirs) {
    if (differs) return;
    const std::optional<UnitRow> ours = unit(theirs.seed, theirs.target);
    if (!ours) insert(theirs);
    else if (*ours != theirs) differs = {theirs.seed, theirs.target};
  });
  if (differs) return differs;
  // Of two stories about one group a finished one, and then that from the earlier unit: whatever the order of merging.
  std::vector<Group> mine = groups();
  for (const Group& g : other.groups()) {
    if (!g.story) continue;
    const auto it = std::find_if(mine.begin(), mine.end(), [&](const Group& m) { return m.breach.id == g.breach.id; });
    const auto place = [](const Story& y) { return std::tuple(!y.finished, y.seed, y.target); };
    if (it != mine.end() && it->story && place(*it->story) <= place(*g.story)) continue;
    insert(g.breach.id, *g.story);
  }
  Statement session(db_, "INSERT INTO sessions (jobs, units, seconds) VALUES (?, ?, ?)");
  for (Statement s(other.db_, "SELECT jobs, units, seconds FROM sessions ORDER BY id"); s.row();) session.bind(1, s.number(0)).bind(2, s.number(1)).bind_seconds(3, s.real(2)).run();
  t.commit();
  return std::nullopt;
}

std::vector<std::pair<std::uint64_t, std::uint32_t>> Store::done() const {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> all;
  for (Statement s(db_, "SELECT seed, target FROM units ORDER BY seed, target"); s.row();) all.emplace_back(s.number(0), static_cast<std::uint32_t>(s.number(1)));
  return all;
}

std::optional<UnitRow> Store::unit(std::uint64_t seed, std::uint32_t target) const {
  Statement& s = statements_->read_unit;
  s.bind(1, seed).bind(2, std::uint64_t{target});
  if (!s.row()) return std::nullopt;
  UnitRow r{seed, target, s.number(0), s.number(1), s.number(2), s.text(3), verdict_of(s.text(4)), goals_in(s.text(5)), {}};
  s.row();
  Statement& b = statements_->read_breaches;
  for (b.bind(1, seed).bind(2, std::uint64_t{target}); b.row();) r.breaches.push_back({b.text(0), b.text(1), b.text(2), b.text(3)});
  return r;
}

void Store::each(const std::function<void(const UnitRow&)>& row) const {
  for (Statement s(db_, "SELECT seed, target FROM units ORDER BY seed, target"); s.row();) row(*unit(s.number(0), static_cast<std::uint32_t>(s.number(1))));
}

std::uint64_t Store::total(const char* sql) const {
  Statement s(db_, sql);
  s.row();
  return s.number(0);
}

std::uint64_t Store::units(UnitVerdict v) const {
  Statement s(db_, "SELECT count(*) FROM units WHERE verdict = ?");
  s.bind(1, unit_verdict_name(v)).row();
  return s.number(0);
}

std::uint64_t Store::failing(const std::set<std::string>& known) const {
  std::set<std::pair<std::uint64_t, std::uint32_t>> all;
  for (Statement s(db_, "SELECT signature, seed, target FROM breaches"); s.row();)
    if (known.count(s.text(0)) == 0) all.emplace(s.number(1), static_cast<std::uint32_t>(s.number(2)));
  return all.size();
}

double Store::seconds() const {
  Statement s(db_, "SELECT coalesce(sum(seconds), 0) FROM sessions");
  s.row();
  return s.real(0);
}

std::vector<Group> Store::groups() const {
  std::vector<Group> all;
  Statement s(db_, R"(
    SELECT g.id, g.anomaly, g.text, b.sentence, b.seed, b.target, (SELECT count(*) FROM breaches WHERE signature = g.id),
           y.seed, y.target, y.lua, y.size, y.note, y.finished, y.signature IS NOT NULL
    FROM signatures g
    JOIN breaches b ON b.signature = g.id AND (b.seed, b.target) = (SELECT seed, target FROM breaches WHERE signature = g.id ORDER BY seed, target LIMIT 1)
    LEFT JOIN stories y ON y.signature = g.id
    ORDER BY b.seed, b.target, g.id)");
  while (s.row()) {
    Group g{{s.text(0), s.text(1), s.text(2), s.text(3)}, s.number(6), s.number(4), static_cast<std::uint32_t>(s.number(5)), {}};
    if (s.number(13) != 0) g.story = Story{s.number(7), static_cast<std::uint32_t>(s.number(8)), s.text(9), s.text(10), s.text(11), s.number(12) != 0};
    all.push_back(std::move(g));
  }
  return all;
}

std::vector<GoalCount> Store::goals() const {
  std::vector<GoalCount> all;
  for (Statement s(db_, "SELECT name, units, coalesce(first_seed, 0) FROM goals ORDER BY id"); s.row();) all.push_back({s.text(0), s.number(1), s.number(2)});
  return all;
}

}  // namespace mqlab
