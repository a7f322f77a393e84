//! stub
pub struct Neighbour { pub title: String, pub href: String, pub incoming: bool, pub outgoing: bool }
pub fn local_svg(_c: &str, _n: &[Neighbour], _w: &str) -> Option<String> { None }
pub fn layout(count: usize, _links: &[(usize, usize)]) -> Vec<(u16, u16)> { vec![(0,0); count] }
