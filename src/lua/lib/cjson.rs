#[derive(Default)]
pub(crate) struct Settings {}
pub(crate) fn roots(_: &Settings) -> [crate::lua::Value; 0] {
    []
}
