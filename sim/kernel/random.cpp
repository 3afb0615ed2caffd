#include "sim/kernel/random.h"

namespace mqlab {
namespace {

__extension__ using Wide = unsigned __int128;

// -ln(1 - u) at u = (i + 1/2) / 1024, in units of 2^-32, by repeated squaring: whole numbers only,
// so that no libm and no contraction of floats can move a draw.
constexpr std::uint64_t negative_log(std::uint64_t numerator_of_2048) {
  // x = numerator / 2048 in (0, 1]; scale into [1, 2) as 1.63 fixed point, count the doublings.
  std::uint64_t x = numerator_of_2048 << 52;  // 2048 << 52 == 2^63 == 1.0
  std::uint64_t doublings = 0;
  while (x < (std::uint64_t{1} << 63)) {
    x <<= 1;
    ++doublings;
  }
  std::uint64_t log2_fraction = 0;  // log2 of x in [1, 2), 40 bits
  for (int bit = 0; bit < 40; ++bit) {
    const Wide square = static_cast<Wide>(x) * x;  // 2.126
    log2_fraction <<= 1;
    if (square >> 127) {
      log2_fraction |= 1;
      x = static_cast<std::uint64_t>(square >> 64);
    } else {
      x = static_cast<std::uint64_t>(square >> 63);
    }
  }
  const std::uint64_t log2_40 = (doublings << 40) - log2_fraction;  // -log2(numerator / 2048)
  constexpr std::uint64_t ln2_40 = 762123384786;                    // ln 2 in units of 2^-40
  return static_cast<std::uint64_t>((static_cast<Wide>(log2_40) * ln2_40) >> 48);
}

constexpr int quantiles = 1024;

constexpr std::array<std::uint64_t, quantiles + 1> make_exponential_table() {
  std::array<std::uint64_t, quantiles + 1> table{};
  for (std::uint64_t i = 0; i < quantiles; ++i) table[i] = negative_log(2048 - 2 * i);
  table[quantiles] = negative_log(1) + (std::uint64_t{1} << 32);  // the tail's mean beyond the last half step
  return table;
}

constexpr auto exponential_table = make_exponential_table();
static_assert(exponential_table[0] == 0);
static_assert(exponential_table[512] == 2977044471, "ln 2 in units of 2^-32");

}  // namespace

Random::Random(std::uint64_t seed, Stream stream, std::uint64_t number) {
  std::uint64_t x = splitmix64(seed) ^ splitmix64((static_cast<std::uint64_t>(stream) + number) * 0xd1342543de82ef95ULL);
  for (std::uint64_t& word : state_) {
    word = splitmix64(x);
    x += 0x9e3779b97f4a7c15ULL;
  }
}

Duration Random::exponential_from(std::uint64_t word, Duration mean) {
  const std::uint64_t index = word >> 54;
  const std::uint64_t fraction = (word >> 22) & 0xffffffffULL;
  const std::uint64_t low = exponential_table[index];
  const std::uint64_t step = exponential_table[index + 1] - low;
  const std::uint64_t value = low + static_cast<std::uint64_t>((static_cast<Wide>(step) * fraction) >> 32);
  if (mean <= 0) return 0;
  const Wide scaled = (static_cast<Wide>(value) * static_cast<std::uint64_t>(mean)) >> 32;
  return scaled > static_cast<Wide>(time_max) ? time_max : static_cast<Duration>(scaled);
}

}  // namespace mqlab
