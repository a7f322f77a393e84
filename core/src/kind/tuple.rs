//! Members of results that the store holds as tuples: each has its names in one place.

/// Declares a struct that JSON of the store holds as an array of its members, in order, and that values in prose show under
/// their names.
macro_rules! tuple {
    ($(#[$about:meta])* pub struct $Name:ident { $($(#[$each:meta])* pub $member:ident: $Type:ty,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Name {
            $($(#[$each])* pub $member: $Type,)+
        }

        impl From<($($Type,)+)> for $Name {
            fn from(($($member,)+): ($($Type,)+)) -> Self {
                Self { $($member),+ }
            }
        }

        impl serde::Serialize for $Name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                ($(&self.$member,)+).serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $Name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <($($Type,)+)>::deserialize(deserializer).map(Self::from)
            }
        }

        impl $Name {
            /// The members under their names.
            pub(super) fn named(&self) -> serde_json::Value {
                serde_json::json!({ $(stringify!($member): self.$member),+ })
            }
        }
    };
}

pub(super) use tuple;
