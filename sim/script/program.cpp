#include "sim/script/program.h"
namespace mqlab::script {
namespace { struct P : AppBase<P> {}; }
std::unique_ptr<App> make_program(std::uint32_t, const std::string&) { return std::make_unique<P>(); }
}
