#include "sim/world/disk.h"

#include <algorithm>
#include <cassert>

namespace mqlab {

const char* disk_result_name(DiskResult r) {
  static constexpr const char* names[] = {"ok", "full", "failed"};
  return names[static_cast<std::size_t>(r)];
}

const char* rung_name(Rung r) {
  static constexpr const char* names[] = {"nowhere", "page cache", "device cache", "platter"};
  return names[static_cast<std::size_t>(r)];
}

Disk::File& Disk::file(FileId id) {
  if (id >= files_.size()) files_.resize(id + 1);
  files_[id].used = true;
  return files_[id];
}

// Of the steps already reached only the furthest matters.
void Disk::forget_steps(File& f, Time now) {
  std::size_t reached = 0;
  while (reached + 1 < f.steps.size() && f.steps[reached + 1].from <= now) ++reached;
  if (reached > 0) f.steps.erase(f.steps.begin(), f.steps.begin() + static_cast<std::ptrdiff_t>(reached));
}

DiskResult Disk::write(FileId id, std::int64_t end, Time now) {
  if (full) return DiskResult::full;
  File& f = file(id);
  assert(end >= f.written);
  f.written = end;
  const Time written_back = saturating_add(now, options.writeback_after);
  // One step a second is fine enough for write-back by age, and keeps the list short.
  if (!f.steps.empty() && f.steps.back().from > now && written_back - f.steps.back().from < 1'000'000'000 &&
      !f.steps.back().device_cache) {
    f.steps.back() = {end, written_back, false};
  } else {
    f.steps.push_back({end, written_back, false});
    if (f.steps.size() > 64) forget_steps(f, now);
  }
  return DiskResult::ok;
}

DiskResult Disk::sync(FileId id, Time done) {
  File& f = file(id);
  if (sync_fails) {
    if (f.lost_from < 0) {
      f.lost_from = 0;
      for (const Step& s : f.steps)
        if (s.from <= done) f.lost_from = std::max(f.lost_from, s.end);
    }
    return DiskResult::failed;
  }
  if (sync_lies) return DiskResult::ok;
  while (!f.steps.empty() && f.steps.back().from >= done) f.steps.pop_back();
  f.steps.push_back({f.written, done, !options.honest_device});
  forget_steps(f, done);
  return DiskResult::ok;
}

void Disk::truncate(FileId id, std::int64_t end) {
  File& f = file(id);
  f.written = std::min(f.written, end);
  for (Step& s : f.steps) s.end = std::min(s.end, end);
  if (f.lost_from >= end) f.lost_from = -1;
  f.corrupt.erase(std::lower_bound(f.corrupt.begin(), f.corrupt.end(), end), f.corrupt.end());
}

void Disk::remove(FileId id) {
  if (id < files_.size()) files_[id] = File{};
}

std::int64_t Disk::written(FileId id) const {
  const File* f = find(id);
  return f ? f->written : 0;
}

std::int64_t Disk::durable(FileId id, Time now) const {
  const File* f = find(id);
  if (!f) return 0;
  std::int64_t end = 0;
  for (const Step& s : f->steps)
    if (s.from <= now && !s.device_cache) end = std::max(end, s.end);
  return f->lost_from >= 0 ? std::min(end, f->lost_from) : end;
}

Rung Disk::rung(FileId id, std::int64_t unit, Time now) const {
  const File* f = find(id);
  if (!f || unit >= f->written) return Rung::nowhere;
  if (unit < durable(id, now)) return Rung::platter;
  for (const Step& s : f->steps)
    if (s.from <= now && s.device_cache && unit < s.end) return Rung::device_cache;
  return Rung::page_cache;
}

void Disk::corrupt(FileId id, std::int64_t unit) {
  File& f = file(id);
  const auto at = std::lower_bound(f.corrupt.begin(), f.corrupt.end(), unit);
  if (at == f.corrupt.end() || *at != unit) f.corrupt.insert(at, unit);
}

bool Disk::is_corrupt(FileId id, std::int64_t unit) const {
  const File* f = find(id);
  return f && std::binary_search(f->corrupt.begin(), f->corrupt.end(), unit);
}

void Disk::write_back(Time now) {
  for (File& f : files_) {
    if (!f.used) continue;
    f.steps.clear();
    f.steps.push_back({f.written, now, false});
  }
}

std::vector<Survivor> Disk::power_loss(Time now) {
  std::vector<Survivor> out;
  for (FileId id = 0; id < files_.size(); ++id) {
    File& f = files_[id];
    if (!f.used) continue;
    const std::int64_t end = durable(id, now);
    Survivor s{id, end, {}};
    if (torn && end < f.written) {
      // The unit that was being written reached the platter in part: it is there, and wrong.
      s.kept = end + 1;
      corrupt(id, end);
    }
    f.written = s.kept;
    f.lost_from = -1;
    f.corrupt.erase(std::lower_bound(f.corrupt.begin(), f.corrupt.end(), s.kept), f.corrupt.end());
    s.corrupt = f.corrupt;
    f.steps.clear();
    f.steps.push_back({s.kept, now, false});
    out.push_back(std::move(s));
  }
  torn = false;
  return out;
}

std::vector<Survivor> Disk::process_loss() const {
  std::vector<Survivor> out;
  for (FileId id = 0; id < files_.size(); ++id)
    if (files_[id].used) out.push_back({id, files_[id].written, files_[id].corrupt});
  return out;
}

}  // namespace mqlab
