// sim/hunt/store.h: what a campaign has done so far, in one SQLite file.
//
// A campaign is made of units: one seed on one target (a way to run a scenario). A unit's row depends on its seed alone, so
// two files of one campaign agree wherever both have a row, in whatever order and by however many hands they were made.
//
// Always true: 1. what write() was given is in the file when it returns, whole, whatever happens to the process then.
// 2. a unit is in it once: a second row for it is refused. 3. the counts of groups and goals are those of the rows.
// Apart from the rows stands what no two campaigns share: sessions, with the time they took.
// Elsewhere: who makes the units (campaign.h). The tables are described in docs/hunting.md.
//
//     Store store("hunt/campaign.sqlite", manifest);   // made, or gone on with
//     store.write(units, {.jobs = 2, .seconds = 0.1});
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/hunt/sqlite.h"

namespace mqlab {

// What makes two campaigns one and the same.
struct Manifest {
  struct Target {
    std::string label;  // "scenarios/search/quorum.lua, case 4.3"
    std::string text;   // of the file
    bool operator==(const Target&) const = default;
  };
  std::vector<std::pair<std::string, std::string>> said;  // "property" -> "promises"
  std::vector<Target> targets;
  std::vector<std::string> goals;  // all that are known; a unit's goals are places in here
  std::string shard = "all";       // "2/4": which part of it this file is
};
// The first thing in which they differ, as a clause; empty when nothing. The shard counts only `with_shard`.
std::string difference(const Manifest& there, const Manifest& asked, bool with_shard);

enum class UnitVerdict : std::uint8_t { holds, violated, untested };
const char* unit_verdict_name(UnitVerdict v);

// A breach as it is kept: failures with one `id` are one group.
struct UnitBreach {
  std::string id;       // "lost-message-3f2a91c0": of the text
  std::string anomaly;
  std::string text;     // by what it came about (Mechanism::text)
  std::string sentence; // what was seen, in this unit
  bool operator==(const UnitBreach&) const = default;
};

struct UnitRow {
  std::uint64_t seed = 0;
  std::uint32_t target = 0;
  std::uint64_t runs = 0, schedules = 0, events = 0;  // as of UnitResult
  std::string fingerprint;
  UnitVerdict verdict = UnitVerdict::holds;
  std::vector<std::uint32_t> goals;  // that were reached, ascending
  std::vector<UnitBreach> breaches;  // ascending by id, each once
  bool operator==(const UnitRow&) const = default;
};

// A group's failure told as a scenario.
struct Story {
  std::uint64_t seed = 0;      // of the unit that it was made from
  std::uint32_t target = 0;
  std::string lua;             // empty: it can't be written by itself
  std::string size;            // "1 fault, 3 clients, ..."
  std::string note;            // what is special: not shrunk, and why
  bool finished = true;        // false: it was interrupted, and the next session tells it anew
  bool operator==(const Story&) const = default;
};

struct Group {
  UnitBreach breach;           // the sentence is the first unit's
  std::uint64_t units = 0;     // in how many it was seen
  std::uint64_t first_seed = 0;
  std::uint32_t first_target = 0;
  std::optional<Story> story;
};

struct GoalCount {
  std::string name;
  std::uint64_t units = 0, first_seed = 0;
};

class Store {
 public:
  // Makes the file, or goes on with it. Throws InputError when it is another campaign, another program's, or in use.
  Store(const std::string& path, const Manifest& manifest);
  // One that is there. Throws InputError.
  explicit Store(const std::string& path);
  ~Store();

  struct Session {
    std::uint64_t jobs = 1;
    double seconds = 0;  // since the last write
  };
  // Throws InputError, and nothing of it is kept.
  void write(const std::vector<UnitRow>& rows, const Session& session);
  void keep(const std::string& group, const Story& story);
  // Takes over what this one lacks. The first unit of which the two say different things, if there is one: then nothing is
  // taken. Throws InputError when it is another campaign.
  std::optional<std::pair<std::uint64_t, std::uint32_t>> merge(Store& other);

  const Manifest& manifest() const { return manifest_; }
  // Ascending by seed, then target.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> done() const;
  std::optional<UnitRow> unit(std::uint64_t seed, std::uint32_t target) const;
  void each(const std::function<void(const UnitRow&)>& row) const;

  std::uint64_t units() const { return total("SELECT count(*) FROM units"); }
  std::uint64_t units(UnitVerdict v) const;
  std::uint64_t failing(const std::set<std::string>& known = {}) const;  // units in a group that is not one of these
  std::uint64_t runs() const { return total("SELECT coalesce(sum(runs), 0) FROM units"); }
  std::uint64_t schedules() const { return total("SELECT coalesce(sum(schedules), 0) FROM units"); }
  double seconds() const;                 // of all sessions
  std::vector<Group> groups() const;      // by their first unit
  std::vector<GoalCount> goals() const;   // in the order of the manifest

 private:
  void lock();
  void prepare_file();
  void create(const Manifest& manifest);
  void read_manifest();
  void insert(const UnitRow& row);
  void insert(const std::string& group, const Story& story);
  std::uint64_t total(const char* sql) const;

  struct Lock;
  std::unique_ptr<Lock> lock_;  // given back last
  SqliteFile db_;
  Manifest manifest_;
  struct Statements;
  std::unique_ptr<Statements> statements_;
  std::uint64_t session_ = 0;  // its row; 0: nothing was written yet
};

}  // namespace mqlab
