//! Parts of results that are stored as tuples, with names for their members.

/// Declares a struct that is stored as a JSON array of its members, and whose members have names for values in prose.
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
            /// The members by name.
            pub(in crate::kind) fn named(&self) -> serde_json::Value {
                serde_json::json!({ $(stringify!($member): self.$member),+ })
            }
        }
    };
}

pub(super) use tuple;
