// sim/world/disk.h: the ladder that a write climbs: page cache, device cache, platter.
//
// A file is a sequence of units that its node counts (records, entries): the disk knows how far
// each file was written and how far it would survive, never the content. The process may die and
// lose nothing (the page cache belongs to the machine); power loss keeps what was synced or
// written back before, and what a fault spared.
//
// Always true: synced <= written. Elsewhere: content (the node's durable part), latency as
// service time (Context::write, Context::sync), the faults' data (fault.h).
//
//     disk.write(file, end, now);              // page cache
//     disk.sync(file, now + latency);          // device told to flush: durable from then on
//     for (const Survivor& s : disk.power_loss(now)) ...
#pragma once

#include <cstdint>
#include <vector>

#include "sim/kernel/random.h"
#include "sim/kernel/time.h"
#include "sim/world/types.h"

namespace mqlab {

// A file of a node's disk, by a number that the node chooses; small and dense.
using FileId = std::uint32_t;

enum class DiskResult : std::uint8_t { ok, full, failed };
const char* disk_result_name(DiskResult r);

// Where a unit of a file stands.
enum class Rung : std::uint8_t { nowhere, page_cache, device_cache, platter };
const char* rung_name(Rung r);

// What power loss left of one file: units [0, kept) survive, except the corrupt ones.
struct Survivor {
  FileId file{};
  std::int64_t kept{};
  std::vector<std::int64_t> corrupt{};  // units that read back wrong, ascending
};

struct DiskOptions {
  Duration write_latency{};                    // per write call, service time
  Duration sync_latency = 1'000'000;           // per sync call, service time
  Duration sync_latency_tail{};                // mean of an exponential added to it
  std::uint32_t nanoseconds_per_byte{};        // service time
  Duration writeback_after = 30'000'000'000;   // Linux dirty_expire_centisecs: the page cache is flushed after this age
  bool honest_device = true;                   // false: a sync reaches the device cache and is called done
  Duration device_flush_after = 1'000'000'000; // ... and the platter so much later
};

class Disk {
 public:
  explicit Disk(DiskOptions options = {}) : options(options) {}

  DiskOptions options;

  // Faults in force.
  bool sync_lies = false;      // sync answers ok and flushes nothing
  bool sync_fails = false;     // sync answers an error; the pages are marked clean all the same and are lost (fsyncgate)
  bool full = false;           // writes answer an error
  bool torn = false;           // at the next power loss the unit after the last durable one survives in part
  Ratio slow{1, 1};            // latencies are multiplied by this
  std::uint64_t torn_units{};  // how many a loss of power has torn so far

  // The units [.., end) of the file are written, at `now`; an end before written(file) changes nothing.
  DiskResult write(FileId file, std::int64_t end, Time now);
  // All that was written is durable from `done` on; what was durable before stays so in between.
  DiskResult sync(FileId file, Time done, Time now = 0);
  // Units from `end` on are gone; a metadata operation, durable at once.
  void truncate(FileId file, std::int64_t end);
  // The file is gone.
  void remove(FileId file);

  std::int64_t written(FileId file) const;
  std::int64_t durable(FileId file, Time now) const;
  // True iff a loss of power would lose something.
  bool dirty(Time now) const;
  Rung rung(FileId file, std::int64_t unit, Time now) const;

  // A bit flips in, or a stray write lands on, this unit: it reads back wrong until truncated.
  void corrupt(FileId file, std::int64_t unit);
  bool is_corrupt(FileId file, std::int64_t unit) const;
  // Every dirty page is written back now, as the operating system may do at any time.
  void write_back(Time now);

  // The machine loses power: what survives, file by file. The disk keeps only that.
  std::vector<Survivor> power_loss(Time now);
  // The process died alone: everything written survives; the corrupt units are told.
  std::vector<Survivor> process_loss() const;
  void wipe() { files_.clear(); }

  // How much bookkeeping the file needs: bounded, whatever its history.
  std::size_t step_count(FileId file) const { return file < files_.size() ? files_[file].steps.size() : 0; }
  std::uint32_t file_count() const { return static_cast<std::uint32_t>(files_.size()); }

 private:
  // Units below `end` are durable from `from` on.
  struct Step {
    std::int64_t end{};
    Time from{};
    bool device_cache{};
  };
  struct File {
    bool used = false;
    std::int64_t written{};
    std::int64_t lost_from = -1;  // a failed sync dropped the pages from here on
    std::vector<Step> steps{};
    std::vector<std::int64_t> corrupt{};
  };
  File& file(FileId id);
  const File* find(FileId id) const { return id < files_.size() && files_[id].used ? &files_[id] : nullptr; }
  static void forget_steps(File& f, Time now);
  static void reach(File& f, std::int64_t end, Time from);

  std::vector<File> files_;
};

}  // namespace mqlab
